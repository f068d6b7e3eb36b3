/** Orders put into the database through intake's own function, for tests that read them or command them. */
import canonicalize from 'canonicalize'
import { acceptOrder } from '../../db/intake'
import { hopefully } from '../../db/race'
import { activePolicies } from '../../db/policies'
import type { Db } from '../../db/connection'
import type { NewOrder } from '../../domain/order/new-order'

let number = 1_000

export const anOrder = (changes: Partial<NewOrder> = {}): NewOrder => ({
  channel: 'web',
  channelOrderId: String(++number),
  placedAt: '2026-11-23T09:00:00.000Z',
  currency: 'EUR',
  claim: 'later',
  priority: 5,
  customer: { customerRef: 'c-77', name: 'Mira Vogel', email: 'mira@example.org', phone: '+49301234567' },
  shipTo: { name: 'Mira Vogel', line1: 'Torstraße 1', city: 'Berlin', postalCode: '10119', country: 'DE', latitude: 52.52, longitude: 13.4 },
  delivery: { method: 'delivery' },
  lines: [{ lineId: '1', sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 8900, discountMinor: 0, taxMinor: 1421 }],
  shipping: { priceMinor: 490, taxMinor: 78 },
  totalMinor: 9390,
  taxIncluded: true,
  tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 9390 }],
  ...changes,
})

/** @returns its id. */
export async function place(db: Db, changes: Partial<NewOrder> = {}): Promise<string> {
  const order = anOrder(changes)
  const { documents, versions } = await activePolicies(db)
  const intake = {
    order,
    facts: { channelId: order.channel, kind: 'web' as const, currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required' as const, flags: [], limits: {}, returnTerms: null },
    canonicalBody: canonicalize(order)!,
    actor: 'channel:test',
    now: new Date().toISOString(),
    policies: { ...documents, versions },
    customerRefSecret: 'test-secret',
  }
  const accepted = await hopefully((mode) => db.transaction((tx) => acceptOrder(tx, intake, mode)))
  return accepted.orderId
}
