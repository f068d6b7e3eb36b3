/** What a carrier's report means for a parcel. Reports come twice and in any order; a parcel only ever moves forward. */
export const parcelStatuses = ['label_created', 'in_transit', 'out_for_delivery', 'exception', 'address_unknown', 'damaged', 'lost', 'returning', 'returned', 'delivered'] as const
export type ParcelStatus = (typeof parcelStatuses)[number]

/** How far along a report says the parcel is. `delivered` is the last word; an exception is news that does not take back a scan. */
const rank = (status: ParcelStatus): number => parcelStatuses.indexOf(status)

/** @returns the parcel's status after the report; the same status when the report says nothing new. */
export const afterReport = (known: ParcelStatus, reported: ParcelStatus): ParcelStatus => (rank(reported) > rank(known) ? reported : known)

export const isParcelStatus = (text: string): text is ParcelStatus => (parcelStatuses as readonly string[]).includes(text)
