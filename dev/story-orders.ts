/** What the customers of the story ask for: light-blue running shoes to a door a few streets from the store that has the last pairs, and two more doors of the same run. */

export interface Wish {
  channelOrderId: string
  sku: string
  quantity: number
  unitPriceMinor: number
  /** Part of the price. */
  taxMinor: number
  street: string
  postalCode: string
  latitude: number
  longitude: number
}

/** The order that the story is about, and the two that share its run; their doors lie farther along the same way. */
export const wishes: readonly [Wish, Wish, Wish] = [
  { channelOrderId: '1001', sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 8_900, taxMinor: 1_421, street: 'Torstraße 100', postalCode: '10119', latitude: 52.5297, longitude: 13.3997 },
  { channelOrderId: '1002', sku: 'SOCKS-3P', quantity: 2, unitPriceMinor: 1_490, taxMinor: 476, street: 'Kastanienallee 20', postalCode: '10435', latitude: 52.5393, longitude: 13.4092 },
  { channelOrderId: '1003', sku: 'SHIRT-RUN-M', quantity: 1, unitPriceMinor: 3_900, taxMinor: 623, street: 'Schönhauser Allee 80', postalCode: '10439', latitude: 52.5497, longitude: 13.4138 },
]

/** The size that fits after all; only the warehouse has it. */
export const otherSize = 'SHOE-LB-41'

export const channel = 'web'
export const currency = 'EUR'

export interface Option {
  optionId: string
  method: string
  service: string
  /** Where she would collect it, or where it would come from. */
  nodeId?: string
  priceMinor: number
  promisedFrom: string
  promisedBy: string
  confidence: number
}

export const destinationOf = ({ postalCode, latitude, longitude }: Wish): object => ({ country: 'DE', postalCode, latitude, longitude })

/** The order document; the option of a quote says how it comes and for how much. */
export function orderOf(wish: Wish, taken: { quoteId: string; option: Pick<Option, 'optionId' | 'priceMinor'> } | undefined, placedAt = new Date().toISOString()): { totalMinor: number } & Record<string, unknown> {
  const { channelOrderId, sku, quantity, unitPriceMinor, taxMinor, street, postalCode, latitude, longitude } = wish
  const shippingMinor = taken?.option.priceMinor ?? 490
  const totalMinor = quantity * unitPriceMinor + shippingMinor
  return {
    channel,
    channelOrderId,
    placedAt,
    currency,
    customer: { customerRef: `c-${channelOrderId}`, name: 'Customer', email: `customer-${channelOrderId}@example.com`, phone: '+49 30 5550100' },
    shipTo: { name: 'Customer', line1: street, city: 'Berlin', postalCode, country: 'DE', latitude, longitude },
    delivery: taken ? { quoteId: taken.quoteId, optionId: taken.option.optionId } : { method: 'delivery', service: 'own_driver' },
    lines: [{ lineId: '1', sku, quantity, unitPriceMinor, discountMinor: 0, taxMinor }],
    shipping: { priceMinor: shippingMinor, taxMinor: 0 },
    totalMinor,
    taxIncluded: true,
    tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: totalMinor }],
  }
}
