/** Holds on what customers take with them: nothing is carried out or given away while it is stopped, and nobody's time runs out over it. */
import type { HoldView } from '../../db/views/holds'
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { orderOf, peopleOf, type Answer, type FulfillmentWork, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const byRule = (name: string, blocks: readonly string[]): object => ({ name, type: 'counter', reason: name, when: { flags: [name] }, blocks, owner: 'support' })
beforeAll(async () => {
  const rules = [byRule('look-first', ['shipping']), byRule('ask-first', ['picking'])]
  system = await startSystem({ policies: { holds: { rules }, store_work: { pickupWindow: 'PT3S', pickupReminder: 'PT0.1S' } } as never })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const [carried, fetched, gathered] = ['carry_out', 'pickup', 'ship_to_store'].map((method) => ({ method, nodeId: 'store-mitte' })) as [{ method: string; nodeId: string }, { method: string; nodeId: string }, { method: string; nodeId: string }]
const hold = (orderId: string, blocks: string[]): Promise<Answer<HoldView>> => people.support<HoldView>('POST', `/v1/orders/${orderId}/holds`, { type: 'counter', reason: 'who is she?', blocks })
const release = async (orderId: string): Promise<void> => {
  for (const { holdId } of (await people.order(orderId)).holds) expect((await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})).status).toBe(200)
}
async function flagged(wish: OrderWish, flags: string[]): Promise<string> {
  const placed = await people.shop<{ orderId: string }>('POST', '/v1/orders', { ...orderOf(wish), flags })
  expect(placed.status).toBe(201)
  return placed.body.orderId
}
const goods = async (units: Record<string, number>): Promise<OrderWish['lines']> => [{ sku: await people.stocked(units), quantity: 1 }]
const onHand = async (lines: OrderWish['lines']): Promise<number> => (await system.db('stock_levels').where({ sku: lines![0]!.sku, node_id: 'store-mitte' }).first<{ on_hand: number }>('on_hand')).on_hand
const released = async (orderId: string, method: string): Promise<FulfillmentWork> =>
  (await people.until(orderId, (o) => o.fulfillments.some((f) => f.method === method && ['released', 'picked'].includes(f.status)))).fulfillments.find((f) => f.method === method)!
const collect = (work: FulfillmentWork, order: OrderView): Promise<Answer<object>> => people.work(work, 'collect', { proof: { name: 'Customer', pickupCode: order.pickupCode } })

describe('carried out at the till', () => {
  it.each([['look-first', 'what leaves', ['fulfillment.released']], ['ask-first', 'what is picked', []]] as const)('held by a rule (%s) that stops %s, it stays where it is, unpaid, until somebody lets it go', async (flag, _what, before) => {
    const lines = await goods({ 'store-mitte': 1 })
    const orderId = await flagged({ lines, delivery: carried }, [flag])
    const held = await people.until(orderId, (o) => o.status === 'held' && o.paymentStatus === 'authorized' && o.waitingOn?.what === 'hold', 'held at the till')
    expect(held).toMatchObject({ lines: [{ shipped: 0, allocated: 1 }], money: { capturedMinor: 0 } })
    expect((await people.told(orderId)).filter((t) => t.startsWith('fulfillment.'))).toEqual(before)
    expect(await onHand(lines)).toBe(1)
    await release(orderId)
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured', lines: [{ shipped: 1 }] })
    expect(await onHand(lines)).toBe(0)
  })

  it('either is held or is carried out, never both, and goes on afterwards', async () => {
    const lines = await goods({ 'store-mitte': 6 })
    const orderIds = await Promise.all(Array.from({ length: 6 }, () => people.place({ lines, delivery: carried })))
    const holds = await Promise.all(orderIds.map((orderId, i) => hold(orderId, [i % 2 ? 'shipping' : 'picking'])))
    for (const [i, orderId] of orderIds.entries()) {
      if (holds[i]!.status !== 201) expect(holds[i]).toMatchObject({ status: 409, body: { code: 'order.closed' } })
      const told = await people.told(orderId)
      if (told.includes('fulfillment.collected') && told.includes('hold.placed')) expect(told.indexOf('fulfillment.collected')).toBeLessThan(told.indexOf('hold.placed'))
      await release(orderId)
      expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured' })
      expect((await people.told(orderId)).filter((t) => t === 'fulfillment.collected')).toHaveLength(1)
    }
    expect(await onHand(lines)).toBe(0)
  })

  it('is not carried out when a fact held its row before its thread has heard of it', async () => {
    const lines = await goods({ 'store-mitte': 1 })
    const orderId = await flagged({ lines, delivery: carried }, ['look-first'])
    await people.until(orderId, (o) => o.status === 'held' && o.fulfillments.length === 1)
    // The rows are stopped once more; the thread knows of the first hold only.
    await system.db('orders').where({ order_id: orderId }).update({ blocked: ['picking', 'shipping'] })
    const { holdId } = (await people.order(orderId)).holds[0]!
    const second = await system.db.raw<{ rows: { id: string }[] }>(
      `INSERT INTO holds (hold_id, order_id, type, reason, blocks, owner, placed_by, placed_at, at_deadline, asked_by) VALUES (gen_random_uuid(), ?, 'late', 'late', '{picking,shipping}', 'support', 'fraud', now(), 'escalate', 'fraud') RETURNING hold_id AS id`, [orderId])
    await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})
    expect(await people.order(orderId)).toMatchObject({ holds: [{ holdId: second.rows[0]!.id }], lines: [{ shipped: 0 }] })
    await release(orderId)
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ shipped: 1 }] })
  })
})

describe('fetched at the counter', () => {
  it('is asked back from who has begun to pick it: out of the wave, neither picked nor put aside, and goes on where it was', async () => {
    const lines = [...(await goods({ 'store-mitte': 1 }))!, ...(await goods({ 'store-mitte': 1 }))!]
    const orderId = await people.place({ lines, delivery: fetched })
    const work = await released(orderId, 'pickup')
    const wave = await people.store('store-mitte')<{ waveId: string }>('POST', '/v1/nodes/store-mitte/waves', { maxOrders: 50 })
    await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
    await hold(orderId, ['picking'])
    const inWave = await system.db('wave_fulfillments').where({ wave_id: wave.body.waveId, fulfillment_id: work.fulfillmentId }).select<{ left_why: string | null; left_at: Date | null }[]>('*')
    expect(inWave.map((w) => w.left_at !== null)).toEqual([true])
    expect(await people.work(work, 'pick', { lines: [{ lineId: '2', picked: 1 }] })).toMatchObject({ status: 409, body: { code: 'order.held', step: 'picking' } })
    await release(orderId)
    await people.work(work, 'pick', { lines: [{ lineId: '2', picked: 1 }] })
    await hold(orderId, ['picking'])
    expect(await people.work(work, 'ready-for-pickup', {})).toMatchObject({ status: 409, body: { code: 'order.held', step: 'picking' } })
    await release(orderId)
    expect(await people.work(work, 'ready-for-pickup', {})).toMatchObject({ status: 200, body: { status: 'ready' } })
    await collect(work, await people.until(orderId, (o) => o.pickupCode !== undefined))
    await people.until(orderId, (o) => !o.workflowOpen)
  })

  it('is given to nobody while it may not leave: the code counts as not tried, and the time to fetch it does not run', async () => {
    const lines = await goods({ 'store-mitte': 1 })
    const orderId = await people.place({ lines, delivery: fetched })
    const work = await released(orderId, 'pickup')
    await people.pickAll(work)
    await people.work(work, 'ready-for-pickup', {})
    const before = await people.until(orderId, (o) => o.waitingOn?.what === 'collection')
    const { body: placed } = await hold(orderId, ['shipping'])
    expect(await people.until(orderId, (o) => o.status === 'held')).toMatchObject({ waitingOn: { what: 'hold' } })
    for (const pickupCode of ['x', before.pickupCode]) expect(await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode } })).toMatchObject({ status: 409, body: { code: 'order.held', step: 'shipping', holdId: placed.holdId } })
    expect(await system.db('collection_proofs').where({ fulfillment_id: work.fulfillmentId })).toEqual([])
    const pickupBy = async (): Promise<number> => (await system.db('fulfillments').where({ fulfillment_id: work.fulfillmentId }).first<{ at: Date }>('pickup_by as at')).at.valueOf()
    const due = new Date(await pickupBy()).valueOf()
    await people.until(orderId, () => Date.now() > due + 200, 'the time at which it would have expired')
    expect(await people.order(orderId)).toMatchObject({ status: 'held', fulfillments: [{ status: 'ready' }] })
    await release(orderId)
    expect(new Date(await pickupBy()).valueOf()).toBeGreaterThan(due)
    expect(await collect(work, before)).toMatchObject({ status: 200, body: { status: 'collected' } })
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured' })
  })

  it('does not leave for the other store while it may not, is taken in where it arrives, and is given to nobody there', async () => {
    const lines = await goods({ 'dc-01': 1 })
    const orderId = await people.place({ lines, delivery: gathered })
    const sent = await released(orderId, 'transfer')
    await people.pickAll(sent)
    await people.packAll(sent)
    await hold(orderId, ['shipping'])
    expect(await people.handOver(sent)).toMatchObject({ status: 409, body: { code: 'order.held', step: 'shipping' } })
    await release(orderId)
    expect((await people.handOver(sent)).status).toBe(200)
    await hold(orderId, ['shipping'])
    expect(await people.work(sent, 'receive', {}, 'store-mitte')).toMatchObject({ status: 200, body: { status: 'delivered' } })
    const here = await released(orderId, 'pickup')
    expect(await people.work(here, 'ready-for-pickup', {})).toMatchObject({ status: 200 })
    const ready = await people.until(orderId, (o) => o.pickupCode !== undefined)
    expect(await collect(here, ready)).toMatchObject({ status: 409, body: { code: 'order.held' } })
    await release(orderId)
    expect(await collect(here, ready)).toMatchObject({ status: 200 })
    await people.until(orderId, (o) => !o.workflowOpen)
  })
})
