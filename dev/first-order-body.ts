/** What the first customer asks for: light-blue running shoes and socks, to a door a few streets from the store that has the last pairs. */

export interface FirstOrder {
  channel: string
  channelOrderId: string
  lines: readonly { lineId: string; sku: string; quantity: number; unitPriceMinor: number; discountMinor: number; taxMinor: number }[]
  totalMinor: number
  currency: string
}

export function firstOrder(placedAt = new Date().toISOString()): FirstOrder & Record<string, unknown> {
  return {
    channel: 'web',
    channelOrderId: '1001',
    placedAt,
    currency: 'EUR',
    customer: { customerRef: 'c-1', name: 'Customer', email: 'customer@example.com', phone: '+49 30 5550100' },
    shipTo: { name: 'Customer', line1: 'Torstraße 100', city: 'Berlin', postalCode: '10119', country: 'DE', latitude: 52.5297, longitude: 13.3997 },
    delivery: { method: 'delivery' },
    lines: [
      { lineId: '1', sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 8900, discountMinor: 0, taxMinor: 1421 },
      { lineId: '2', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 1490, discountMinor: 0, taxMinor: 238 },
    ],
    shipping: { priceMinor: 490, taxMinor: 78 },
    totalMinor: 10_880,
    taxIncluded: true,
    tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 10_880 }],
  }
}

/** Shoes, socks and the box around them. */
export const packageWeightGrams = 1_000
