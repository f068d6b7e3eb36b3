/** The retailer's own drivers beside the carriers: one service, offered from nodes where a driver starts, as far as the policy lets them go. */
export const ownFleet = 'own-fleet'
export const ownDriver = 'own_driver'

/** Printed on the parcel and scanned at the door: made of the operation that asked for it, so that the same always gives the same. */
export const ownTrackingNumber = (reference: string): string => `TL${reference.replace(/-/g, '').slice(-16).toUpperCase()}`
