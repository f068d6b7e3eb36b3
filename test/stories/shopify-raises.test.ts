/** A shop on Shopify adds to what it sold: with its money that is done here too, once; without it the message waits, and so does whatever could not be read, until somebody repairs it. */
import type { OrderView } from '../../db/views/orders'
import { eventually, peopleOf, type Answer, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

type Order = ReturnType<typeof freshShopifyOrder>
const [shirt, socks, added] = ['866550311766439020', '866550311766439021', '866550311766439030']
const number = (order: Order): string => order.admin_graphql_api_id.split('/').pop()!
/** The order as the shop has it after it was edited. */
const edited = (order: Order, at: string, quantities: Record<string, number>, current_total_price: string, more: object = {}): Order => {
  const lines = order.line_items.map((l) => ({ ...l, quantity: quantities[String(l.admin_graphql_api_id).split('/').pop()!] ?? l.quantity }))
  const extra = quantities[added] ? [{ ...order.line_items[0]!, admin_graphql_api_id: `gid://shopify/LineItem/${added}`, quantity: quantities[added], tax_lines: [] }] : []
  return { ...order, updated_at: at, line_items: [...lines, ...extra], current_total_price, total_outstanding: '0.00', ...more }
}
const send = (body: object, topic = 'orders/updated'): ReturnType<typeof sendShopify> => sendShopify(system.url, body, { topic })
const facts = (order: Order): Promise<{ status: string; outcome: string | null }[]> => system.db('inbound_events').where({ subject: number(order) }).orderBy('received_at')
const heard = async (order: Order, count: number): Promise<(string | null)[]> =>
  (await eventually(() => facts(order), (f) => f.length === count && f.every((one) => one.status === 'done'), { what: 'every message applied' })).map((f) => f.outcome)
const kept = (view: OrderView): Record<string, number> => Object.fromEntries(view.lines.map((l) => [l.lineId, l.quantity - l.cancelled]))
const waiting = (order: Order): Promise<{ quarantine_id: string; reasons: { code: string; pointer: string }[]; status: string; topic: string }[]> => system.db('quarantine').where({ channel_order_id: number(order) })
const retry = (quarantineId: string, patch?: object): Promise<Answer<{ orderId?: string; code?: string; reasons?: object[] }>> => people.support('POST', `/v1/quarantine/${quarantineId}/retry`, { ...(patch && { patch }) })

async function sourced(): Promise<{ order: Order; orderId: string }> {
  const order = freshShopifyOrder()
  const { body } = await send(order, 'orders/create')
  await people.until(body.orderId!, (o) => o.fulfillments.length === 1)
  return { order, orderId: body.orderId! }
}
async function delivered(orderId: string): Promise<OrderView> {
  for (const work of (await people.order(orderId)).fulfillments) {
    await people.pickAll(work)
    const packed = await people.packAll(work)
    await people.handOver(work)
    await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  }
  return people.until(orderId, (o) => !o.workflowOpen)
}

it('takes more units and another line that the shop has taken the money for, once, and its books are right to the end', async () => {
  const { order, orderId } = await sourced()
  const more = edited(order, '2026-11-21T09:00:00Z', { [socks]: 12, [added]: 1 }, '273.89')
  await Promise.all([send(more), send(more)])
  await heard(order, 2)
  const view = await people.order(orderId)
  expect(kept(view)).toEqual({ [shirt]: 2, [socks]: 12, [added]: 1 })
  expect(view).toMatchObject({ money: { capturedMinor: 27_389, owedMinor: 0 }, payments: [{ tenderId: 'shopify' }, { tenderId: 'shopify+1', provider: 'paid_elsewhere', status: 'captured' }] })
  const done = await delivered(orderId)
  expect(done).toMatchObject({ status: 'completed', money: { capturedMinor: 27_389, owedMinor: 0 } })
})

it('takes more that comes before the order, and more again', async () => {
  const order = freshShopifyOrder()
  await send(edited(order, '2026-11-21T09:00:00Z', { [socks]: 11 }, '213.89'))
  const { orderId } = (await send(order, 'orders/create')).body
  await heard(order, 1)
  await send(edited(order, '2026-11-21T10:00:00Z', { [socks]: 13 }, '235.89'))
  await heard(order, 2)
  expect(kept(await people.order(orderId!))).toEqual({ [shirt]: 2, [socks]: 13 })
  expect((await people.order(orderId!)).payments).toMatchObject([{ tenderId: 'shopify' }, { tenderId: 'shopify+1' }, { tenderId: 'shopify+2' }])
})

it('keeps back what the shop added without its money, with the reason, until the shop has it', async () => {
  const { order, orderId } = await sourced()
  await send(edited(order, '2026-11-21T09:00:00Z', { [socks]: 12 }, '224.89', { financial_status: 'partially_paid', total_outstanding: '22.00' }))
  expect(await heard(order, 1)).toEqual(['channel.not_paid'])
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 10 })
  const [message] = await waiting(order)
  expect(message).toMatchObject({ status: 'open', topic: 'orders/updated', reasons: [{ code: 'channel.not_paid', pointer: '/financial_status' }] })
  expect(await retry(message!.quarantine_id)).toMatchObject({ status: 409, body: { code: 'quarantine.still_invalid', reasons: [{ code: 'channel.not_paid' }] } })
  await send(edited(order, '2026-11-21T11:00:00Z', { [socks]: 12 }, '224.89'))
  await heard(order, 2)
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 12 })
  expect(await waiting(order)).toMatchObject([{ status: 'taken' }])
})

it('keeps back what does not come to what the shop takes for it', async () => {
  const { order, orderId } = await sourced()
  await send(edited(order, '2026-11-21T09:00:00Z', { [socks]: 12 }, '220.00'))
  expect(await heard(order, 1)).toEqual(['order.totals'])
  const [message] = await waiting(order)
  expect(message).toMatchObject({ reasons: [{ code: 'order.totals', pointer: '/current_total_price' }] })
  expect((await retry(message!.quarantine_id, { current_total_price: '224.89' })).status).toBe(200)
  await people.until(orderId, (o) => kept(o)[socks] === 12)
})

it('adds to what the customer kept, where some of it was cancelled here, once however often it is said at once', async () => {
  const { order, orderId } = await sourced()
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: socks, quantity: 3 }], reason: 'customer called' })
  const more = edited(order, '2026-11-21T09:00:00Z', { [socks]: 12 }, '224.89')
  await Promise.all([send(more), send(more), send(more)])
  await heard(order, 3)
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 9 })
  expect((await people.told(orderId)).filter((type) => type === 'order.changed')).toHaveLength(1)
})

it('takes a repaired change, and says what is still against one that is not', async () => {
  const { order, orderId } = await sourced()
  const { quarantineId } = (await send({ ...edited(order, '2026-11-21T09:00:00Z', { [socks]: 4 }, '136.89'), total_price: 'much' })).body
  expect(await retry(quarantineId!)).toMatchObject({ status: 409, body: { code: 'quarantine.still_invalid', reasons: [{ pointer: '/total_price' }] } })
  expect(await retry(quarantineId!, { total_price: '202.89' })).toMatchObject({ status: 200, body: { orderId } })
  await people.until(orderId, (o) => kept(o)[socks] === 4)
  expect(await retry(quarantineId!)).toMatchObject({ status: 409, body: { code: 'quarantine.ended' } })
})

it('cancels with a repaired cancellation, and books a repaired refund, each once', async () => {
  const [{ order, orderId }, other] = [await sourced(), await sourced()]
  const refund = { admin_graphql_api_id: 'gid://shopify/Refund/77', order_id: 'unknown', refund_line_items: [{ quantity: 1, restock_type: 'cancel', line_item: { admin_graphql_api_id: `gid://shopify/LineItem/${shirt}` } }], transactions: [] }
  const refunded = (await send(refund, 'refunds/create')).body.quarantineId!
  expect(await retry(refunded)).toMatchObject({ status: 409 })
  await Promise.all([retry(refunded, { order_id: number(order) }), retry(refunded, { order_id: number(order) })])
  await people.until(orderId, (o) => kept(o)[shirt] === 1)
  const cancelled = (await send({ admin_graphql_api_id: 'gone' }, 'orders/cancelled')).body.quarantineId!
  expect(await retry(cancelled, { admin_graphql_api_id: other.order.admin_graphql_api_id })).toMatchObject({ status: 200, body: { orderId: other.orderId } })
  await people.until(other.orderId, (o) => o.status === 'cancelled')
  expect(await system.db('quarantine').whereIn('quarantine_id', [refunded, cancelled])).toMatchObject([{ status: 'taken' }, { status: 'taken' }])
})
