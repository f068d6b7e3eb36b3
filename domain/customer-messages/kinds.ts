/** What customers are told, by which event, and what may stand in for the particulars. */
export const messageKinds = ['confirmation', 'ready_for_pickup', 'out_for_delivery', 'delay', 'delivered', 'refund'] as const
export type MessageKind = (typeof messageKinds)[number]

export const languages = ['en', 'de'] as const
export type Language = (typeof languages)[number]

/** The event that is the occasion of each. */
export const occasions: Readonly<Record<MessageKind, string>> = {
  confirmation: 'order.placed',
  ready_for_pickup: 'fulfillment.ready',
  out_for_delivery: 'shipment.out_for_delivery',
  delay: 'promise.renewed',
  delivered: 'shipment.delivered',
  refund: 'payment.refunded',
}

/** What each kind can name; `{{orderNumber}}` in a template. */
export const placeholders: Readonly<Record<MessageKind, readonly string[]>> = {
  confirmation: ['name', 'shop', 'orderNumber', 'total'],
  ready_for_pickup: ['name', 'shop', 'orderNumber', 'pickupBy'],
  out_for_delivery: ['name', 'shop', 'orderNumber', 'trackingNumber'],
  delay: ['name', 'shop', 'orderNumber', 'promisedBy'],
  delivered: ['name', 'shop', 'orderNumber'],
  refund: ['name', 'shop', 'orderNumber', 'amount'],
}

/** The language of whoever lives there, as far as there are templates. */
export const languageOf = (country: string | null): Language => (country !== null && ['DE', 'AT', 'CH', 'LI'].includes(country) ? 'de' : 'en')
