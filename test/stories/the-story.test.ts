/** The whole of it, over HTTP alone: from the question when the shoes could be there to the exchange at her door. `npm start` tells the same. */
import type { OrderView } from '../../db/views/orders'
import { createApi } from '../../dev/api'
import { tellStory, type Told } from '../../dev/story'
import { otherSize } from '../../dev/story-orders'
import { orderWorkflowId } from '../../domain/ids'
import { caller, peopleOf, type People } from '../support/people'
import { expectEventsAsDocumented } from '../support/event-schemas'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let told: Told
const lines: string[] = []
beforeAll(async () => {
  // The window stays open while she makes up her mind; then the thread comes to its end.
  system = await startSystem({ policies: { returns: { window: 'PT15S', restockBy: 'PT90S' } } })
  people = peopleOf(system)
  const leaving = new AbortController().signal
  told = await tellStory({ api: (key) => createApi(system.url, key, leaving), say: (line) => lines.push(line), leaving })
}, 90_000)
afterAll(async () => {
  try {
    await expectEventsAsDocumented(system.db)
  await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const timeline = async (): Promise<{ type: string; data: Record<string, unknown> }[]> =>
  (await people.support<{ items: { type: string; data: Record<string, unknown> }[] }>('GET', `/v1/orders/${told.orderId}/timeline?limit=200`)).body.items
const onHand = async (sku: string): Promise<Record<string, number>> => {
  const { items } = (await people.operations<{ items: { nodeId: string; onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body
  return Object.fromEntries(items.map((l) => [l.nodeId, l.onHand]))
}

it('1: says for every way it could come the price, the date and how sure it is', () => {
  expect(told.quote.options.map((o) => o.service)).toEqual(expect.arrayContaining(['standard', 'own_driver']))
  expect(told.quote.options.map((o) => o.method)).toContain('pickup')
  for (const { confidence, promisedBy } of told.quote.options) {
    expect(confidence).toBeGreaterThan(0.5)
    expect(Date.parse(promisedBy)).toBeGreaterThan(Date.now())
  }
})

it('2: holds the money before anything is shipped', async () => {
  const types = (await timeline()).map((e) => e.type)
  expect(types.indexOf('payment.authorized')).toBeLessThan(types.indexOf('order.sourced'))
  expect(types.filter((type) => type === 'order.placed')).toHaveLength(1)
})

it('3: takes it from the store near her, and keeps why every other place lost', async () => {
  const { items } = (await people.support<{ items: { chosen: { shipments: { nodeId: string }[] }; candidates: { nodeId: string; verdict: string }[] }[] }>('GET', `/v1/orders/${told.orderId}/sourcing`)).body
  expect(items[0]).toMatchObject({ chosen: { shipments: [{ nodeId: 'store-mitte' }] } })
  expect(items[0]!.candidates.filter((c) => c.verdict !== 'chosen').map((c) => c.nodeId).sort()).toEqual(['dc-01', 'store-charlottenburg', 'store-kreuzberg'])
  expect(items.at(-1)).toMatchObject({ chosen: { shipments: [{ nodeId: 'dc-01' }] } })
})

it('4 and 5: is picked and packed in the store, and leaves with two others on one run, the nearest door first', () => {
  const stops = told.runs[0]!.stops.map((s) => s.orderId)
  expect(stops[0]).toBe(told.orderId)
  expect([...stops].sort()).toEqual([told.orderId, ...told.others].sort())
})

it('6: tells support where it is', () => {
  expect(lines.find((line) => line.includes('support'))).toMatch(/out for delivery: stop 1 of 3, \d\d:\d\d–\d\d:\d\d UTC/)
})

it('7: takes the money when the goods leave, and the ledger balances', async () => {
  const order = await people.order(told.orderId)
  expect(order.money).toMatchObject({ capturedMinor: order.totalMinor, refundedMinor: 0, owedMinor: 0 })
  expect(await intentsOf(system, told.orderId)).toMatchObject([{ capturedMinor: order.totalMinor, refundedMinor: 0 }])
  const { entries } = (await caller(system.url, 'demo-finance')<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${told.orderId}/ledger`)).body
  const sum = (of: (e: { account: string }) => boolean): number => entries.filter(of).reduce((total, e) => total + e.amountMinor, 0)
  expect([sum(() => true), sum((e) => e.account === 'receivable'), sum((e) => e.account === 'provider_clearing:stripe')]).toEqual([0, 0, order.totalMinor])
})

it('8: brings the other size from the warehouse and takes the first pair along at the same door, and no money moves', async () => {
  expect(told.runs[1]!.stops).toMatchObject([{ orderId: told.orderId, tasks: expect.arrayContaining([expect.objectContaining({ type: 'deliver' }), expect.objectContaining({ type: 'collect' })]) }])
  const order: OrderView = await people.until(told.orderId, (o) => !o.workflowOpen, 'the end')
  expect(order).toMatchObject({
    status: 'completed',
    lines: [{ sku: 'SHOE-LB-42', delivered: 1, returned: 1, credited: 0 }, { sku: otherSize, delivered: 1, replaces: '1', unitPriceMinor: 0 }],
    returns: [{ status: 'closed', method: 'at_door' }],
  })
  expect(await onHand('SHOE-LB-42')).toMatchObject({ 'store-mitte': 2, 'dc-01': 1 })
  expect(await onHand(otherSize)).toMatchObject({ 'dc-01': 11 })
  const history = await system.client.workflow.getHandle(orderWorkflowId(order.channel, order.channelOrderId)).fetchHistory()
  expect(history.events!.length).toBeLessThanOrEqual(160)
})
