/** Three carriers compete for every parcel: the cheapest that keeps the promise carries it, who fails is left alone, and every label is bought and charged once. */
import { DateTime } from 'luxon'
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { parcels, steer, type Parcel } from '../support/outside'
import { eventually, peopleOf, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ carriers: ['swiftparcel', 'hansepost', 'kestrel'], policies: { care: { retryEvery: 'PT0.5S' } } })
  people = peopleOf(system)
})
afterEach(async () => {
  await steer(system.carriers.url, '/control/faults', {}, 'DELETE')
  await steer(system.carriers.url, '/control/outage', {}, 'DELETE')
  await system.db('carrier_health').delete()
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Order {
  orderId: string
  work: FulfillmentWork
}

/** An order that is picked, promised for a day that is `days` away. */
async function pickedFor(days: number): Promise<Order> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  const promisedBy = DateTime.now().setZone('Europe/Berlin').plus({ days }).set({ hour: 20, minute: 0 }).toUTC().toISO()
  await system.db.raw(`UPDATE orders SET promise = jsonb_set(promise, '{promisedBy}', to_jsonb(?::text)) WHERE order_id = ?`, [promisedBy, orderId])
  await people.pickAll(work!)
  return { orderId, work: work! }
}

const labelled = (orderId: string): Promise<OrderView> => people.until(orderId, (o) => o.shipments.length === 1 && o.shipments[0]!.trackingNumber !== null, 'a label')

/** Packs without waiting for the answer, which may come later than any store has patience for. */
function pack(work: FulfillmentWork): void {
  people.packAll(work).catch(() => undefined)
}

/** What the carriers' books say of an order: by the references of its own operations. */
async function booked(orderId: string): Promise<Parcel[]> {
  const operations = await system.db('carrier_operations').where({ order_id: orderId, kind: 'label' }).pluck<string[]>('operation_id')
  return (await parcels(system)).filter((p) => operations.includes(p.reference))
}

it('takes the cheapest that keeps the promise, and tells of every other why it lost', async () => {
  const { orderId, work } = await pickedFor(30)
  await people.packAll(work)
  const [shipment] = (await labelled(orderId)).shipments
  expect(shipment).toMatchObject({ carrier: 'hansepost', service: 'standard' })
  expect(shipment!.choice!.chosen).toMatchObject({ carrier: 'hansepost', priceMinor: 314, reason: 'cheapest_that_keeps' })
  expect(shipment!.choice!.others.map((o) => [o.carrier, o.service, o.lost, o.says])).toEqual([
    ['swiftparcel', 'standard', 'dearer', 'costs 75 more in minor units'],
    ['kestrel', 'express', 'dearer', 'costs 348 more in minor units'],
    ['swiftparcel', 'express', 'dearer', 'costs 476 more in minor units'],
  ])
  expect(await booked(orderId)).toMatchObject([{ carrier: 'hansepost', chargedMinor: 314, voided: false }])
})

it('gives the parcel to a faster carrier when the cheaper ones would come late', async () => {
  const { orderId, work } = await pickedFor(await lastDayTooSoonForStandard())
  await people.packAll(work)
  const [shipment] = (await labelled(orderId)).shipments
  expect(shipment).toMatchObject({ service: 'express', choice: { chosen: { reason: 'cheapest_that_keeps' } } })
  const losers = shipment!.choice!.others.filter((o) => o.service === 'standard')
  expect(losers.map((o) => o.lost)).toEqual(['too_late', 'too_late'])
  expect(shipment!.choice!.chosen!.kept).toBeGreaterThanOrEqual(0.9)
})

/** In how many days no standard service has come with confidence, while express has: a day before the first of them, by what an earlier choice says. */
async function lastDayTooSoonForStandard(): Promise<number> {
  const { orderId, work } = await pickedFor(30)
  await people.packAll(work)
  const { chosen, others } = (await labelled(orderId)).shipments[0]!.choice!
  return Math.min(...[chosen!, ...others].filter((o) => o.service === 'standard').map((o) => o.withinDays!)) - 1
}

it('buys one label and pays once when the answer is lost', async () => {
  const { orderId, work } = await pickedFor(30)
  await steer(system.carriers.url, '/control/faults', { next: 1, kind: 'timeout_after_effect', operation: 'label', carrier: 'hansepost', delayMs: 3_000 })
  await people.packAll(work)
  await labelled(orderId)
  expect(await booked(orderId)).toMatchObject([{ carrier: 'hansepost', voided: false, chargedMinor: 314 }])
})

it('leaves a carrier alone that fails, and gives the parcel to the next best; the next order does not wait for it', async () => {
  await steer(system.carriers.url, '/control/outage', { until: 'cleared', carrier: 'hansepost' })
  const first = await pickedFor(30)
  pack(first.work)
  const [shipment] = (await labelled(first.orderId)).shipments
  expect(shipment).toMatchObject({ carrier: 'swiftparcel', choice: { others: expect.arrayContaining([expect.objectContaining({ carrier: 'hansepost', lost: 'not_offered' })]) as unknown[] } })
  const second = await pickedFor(30)
  await people.packAll(second.work)
  await labelled(second.orderId)
  const operations = await system.db('carrier_operations').where({ order_id: second.orderId, kind: 'label' }).select('carrier', 'attempts')
  expect(operations).toEqual([{ carrier: 'swiftparcel', attempts: 1 }])
})

it('gives back what a carrier has sold without saying so, once it answers again', async () => {
  await steer(system.carriers.url, '/control/faults', { next: 1, kind: 'timeout_after_effect', operation: 'label', carrier: 'hansepost', delayMs: 3_000 })
  const { orderId, work } = await pickedFor(30)
  pack(work)
  await eventually(() => booked(orderId), (found) => found.length === 1, { what: 'the label that nobody hears of' })
  await steer(system.carriers.url, '/control/outage', { until: 'cleared', carrier: 'hansepost' })
  expect((await labelled(orderId)).shipments).toMatchObject([{ carrier: 'swiftparcel' }])
  await steer(system.carriers.url, '/control/outage', {}, 'DELETE')
  const settled = await eventually(() => booked(orderId), (found) => found.some((p) => p.voided), { what: 'the other label to be given back' })
  expect(settled.map((p) => [p.carrier, p.voided]).sort()).toEqual([['hansepost', true], ['swiftparcel', false]])
  expect(settled.reduce((sum, p) => sum + p.chargedMinor, 0)).toBe(389)
})

it('gives back all labels when the order is cancelled after packing', async () => {
  const { orderId, work } = await pickedFor(30)
  await people.packAll(work)
  await labelled(orderId)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'customer' })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled' })
  expect((await booked(orderId)).map((p) => [p.voided, p.chargedMinor])).toEqual([[true, 0]])
})

it('lets the next best have what a carrier refuses, and does not count that against it', async () => {
  const { orderId, work } = await pickedFor(30)
  const body = { packages: [{ weightGrams: 900, lengthMm: 1_010, lines: work.lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity })) }] }
  await people.store('store-mitte')('POST', `/v1/fulfillments/${work.fulfillmentId}/pack`, body)
  const [shipment] = (await labelled(orderId)).shipments
  expect(shipment).toMatchObject({ carrier: 'kestrel', choice: { others: expect.arrayContaining([expect.objectContaining({ carrier: 'hansepost', lost: 'not_offered', says: expect.stringContaining('larger') as string })]) as unknown[] } })
  expect(await system.db('carrier_health')).toEqual([])
})
