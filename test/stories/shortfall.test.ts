/** A shelf is counted below what is claimed of it: the count is true, and the newest orders nobody has picked look elsewhere. */
import { rows } from '../../db/connection'
import { eventually, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { retryEvery: 'PT0.3S', autoCancelAfter: 'PT20S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const count = (sku: string, onHand: number): Promise<{ status: number; body: object }> =>
  people.store('store-mitte')('POST', '/v1/inventory/counts', [{ sku, nodeId: 'store-mitte', onHand, asOf: new Date().toISOString() }])
async function ordered(sku: string): Promise<string> {
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  return orderId
}

it('gives the newest orders that nobody has picked to the next best node, and leaves the others', async () => {
  const sku = await people.stocked({ 'store-mitte': 3, 'dc-01': 5 })
  const [first, second, third] = [await ordered(sku), await ordered(sku), await ordered(sku)]
  const [work] = (await people.order(third)).fulfillments
  await people.pickAll(work!) // the newest is in somebody's hands: it stays
  expect(await count(sku, 2)).toMatchObject({ status: 200, body: { accepted: 1 } })
  const moved = await people.until(second, (o) => o.fulfillments.length === 2)
  expect(moved.fulfillments.map((f) => [f.nodeId, f.status])).toEqual([['store-mitte', 'rejected'], ['dc-01', 'released']])
  expect(await people.told(second)).toContain('order.stock_taken_back')
  for (const orderId of [first, third]) expect((await people.order(orderId)).fulfillments).toHaveLength(1)
  expect(await rows(system.db, `SELECT on_hand AS "onHand", allocated FROM stock_levels WHERE sku = ? AND node_id = 'store-mitte'`, [sku])).toEqual([{ onHand: 2, allocated: 2 }])
})

it('tells operations when more was picked than was counted', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await ordered(sku)
  await people.pickAll((await people.order(orderId)).fulfillments[0]!)
  await count(sku, 0)
  const { body } = await eventually(
    () => people.operations<{ items: { exceptionId: string; subject: string; kind: string; data: { sku: string } }[] }>('GET', '/v1/exceptions?kind=stock.overcommitted'),
    (found) => found.body.items.some((e) => e.data.sku === sku),
  )
  expect(body.items.find((e) => e.data.sku === sku)).toMatchObject({ kind: 'stock.overcommitted' })
  expect((await people.order(orderId)).fulfillments).toMatchObject([{ status: 'picked' }])
  await count(sku, 1)
})
