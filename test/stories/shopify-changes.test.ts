/** A shop on Shopify changes what it sold and gives money back by itself: each is done here once, in whatever sequence the messages come, or is a case that says why not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OrderView } from '../../db/views/orders'
import { eventually, peopleOf, type People } from '../support/people'
import { freshShopifyOrder, sendShopify, type ShopifyBody } from '../support/shopify'
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
const [shirt, socks] = ['866550311766439020', '866550311766439021']
/** The order as the shop has it later: how many are left of its lines, and when it says so. */
const later = (order: Order, at: string, left: Record<string, number>, more: Partial<ShopifyBody> = {}): Order => ({
  ...order,
  updated_at: at,
  line_items: order.line_items.map((l) => ({ ...l, current_quantity: left[String(l.admin_graphql_api_id).split('/').pop()!] ?? l.quantity })),
  ...more,
})
const update = (order: Order): ReturnType<typeof sendShopify> => sendShopify(system.url, order, { topic: 'orders/updated' })
const facts = (order: Order): Promise<{ kind: string; status: string; outcome: string | null }[]> => system.db('inbound_events').where({ subject: order.admin_graphql_api_id.split('/').pop()! }).orderBy('received_at')
const heard = (order: Order, count: number): Promise<{ outcome: string | null }[]> => eventually(() => facts(order), (f) => f.length === count && f.every((one) => one.status === 'done'), { what: 'every message applied' })
const kept = (view: OrderView): Record<string, number> => Object.fromEntries(view.lines.map((l) => [l.lineId, l.quantity - l.cancelled]))
const cases = (orderId: string): Promise<{ kind: string; resolvedAt: string | null }[]> =>
  system.db<object, { kind: string; resolvedAt: string | null }[]>('exceptions').where({ order_id: orderId }).select({ kind: 'kind', resolvedAt: 'resolved_at' })

async function sourced(): Promise<{ order: Order; orderId: string }> {
  const order = freshShopifyOrder()
  const { body } = await sendShopify(system.url, order)
  await people.until(body.orderId!, (o) => o.fulfillments.length === 1)
  return { order, orderId: body.orderId! }
}

it('takes fewer units and another address over while nothing is packed', async () => {
  const { order, orderId } = await sourced()
  const shipping_address = { ...order.shipping_address, address1: 'Street 2' }
  await update(later(order, '2026-11-21T09:00:00Z', { [socks]: 4 }, { shipping_address }))
  const [fact] = await heard(order, 1)
  expect(fact!.outcome).toBe('changed: setQuantity, setShipTo')
  const view = await people.order(orderId)
  expect(kept(view)).toEqual({ [shirt]: 2, [socks]: 4 })
  expect((await system.db('orders').where({ order_id: orderId }).first()) as object).toMatchObject({ ship_to: { line1: 'Street 2' } })
  expect(await people.told(orderId)).toContain('order.changed')
})

it('keeps a change that overtakes its order, and makes it once the order is there', async () => {
  const order = freshShopifyOrder()
  await update(later(order, '2026-11-21T09:00:00Z', { [socks]: 1 }))
  const { body } = await sendShopify(system.url, order)
  await heard(order, 1)
  expect(kept(await people.order(body.orderId!))).toEqual({ [shirt]: 2, [socks]: 1 })
})

it('lets the newest words win, in whatever sequence and however often they come', async () => {
  const { order, orderId } = await sourced()
  const [older, newer] = [later(order, '2026-11-21T09:00:00Z', { [socks]: 9 }), later(order, '2026-11-21T10:00:00Z', { [socks]: 5 })]
  await update(newer)
  await update(older)
  await update(newer)
  await heard(order, 3)
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 5 })
  expect((await people.told(orderId)).filter((type) => type === 'order.changed')).toHaveLength(1)
})

it('does nothing where the shop says what is so already, nor takes back what was cancelled here', async () => {
  const { order, orderId } = await sourced()
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: socks, quantity: 3 }], reason: 'customer called' })
  await update(later(order, '2026-11-21T09:00:00Z', {}, { note: 'a tag was added' }))
  const [fact] = await heard(order, 1)
  expect(fact!.outcome).toBe('says nothing new')
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 7 })
})

it('makes a case of what comes too late', async () => {
  const { order, orderId } = await sourced()
  const [work] = (await people.order(orderId)).fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  await people.handOver(work!)
  await update(later(order, '2026-11-21T09:00:00Z', { [socks]: 4 }))
  await heard(order, 1)
  expect((await cases(orderId)).map((c) => c.kind)).toContain('channel.update_not_applied')
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 2, [socks]: 10 })
})

it('makes an order of what waited in quarantine for its money, as soon as the shop says that it is paid', async () => {
  const order = freshShopifyOrder()
  const { quarantineId } = (await sendShopify(system.url, { ...order, financial_status: 'pending' })).body
  const { orderId } = (await update(later(order, '2026-11-21T09:00:00Z', {}))).body
  await people.until(orderId!, (o) => o.fulfillments.length === 1)
  expect(await system.db('quarantine').where({ quarantine_id: quarantineId }).first()).toMatchObject({ status: 'ordered', order_id: orderId })
})

const refund = JSON.parse(readFileSync(join(__dirname, '../fixtures/shopify/refund.json'), 'utf8')) as { refund_line_items: { restock_type: string; quantity: number }[] }
let refunds = 1_000
/** Of one shirt; the order's number as Shopify writes it, longer than a double can hold. */
const refundOf = (order: Order, restock_type: string, more: object = {}): string =>
  JSON.stringify({ ...refund, admin_graphql_api_id: `gid://shopify/Refund/${(refunds += 1)}`, refund_line_items: refund.refund_line_items.map((l) => ({ ...l, restock_type })), ...more }).replace(
    /"order_id":\d+/,
    `"order_id":${order.admin_graphql_api_id.split('/').pop()}`,
  )
const give = (text: string, webhookId?: string): ReturnType<typeof sendShopify> => sendShopify(system.url, text, { topic: 'refunds/create', ...(webhookId && { webhookId }) })

it('cancels what the shop has refunded and nobody has sent, once, and asks nobody to give the money back again', async () => {
  const { order, orderId } = await sourced()
  const text = refundOf(order, 'cancel')
  await Promise.all([give(text, `r-${orderId}`), give(text, `r-${orderId}`)])
  await heard(order, 1)
  await give(text)
  await heard(order, 2)
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 1, [socks]: 10 })
  expect((await people.told(orderId)).filter((type) => type === 'channel.refunded')).toHaveLength(1)
  expect((await cases(orderId)).filter((c) => c.resolvedAt === null)).toEqual([])
})

it('takes the refund of what was cancelled here for what it is', async () => {
  const { order, orderId } = await sourced()
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: shirt, quantity: 1 }], reason: 'customer called' })
  expect((await cases(orderId)).map((c) => [c.kind, c.resolvedAt])).toEqual([['order.refund_elsewhere', null]])
  await give(refundOf(order, 'cancel'))
  await heard(order, 1)
  expect(kept(await people.order(orderId))).toEqual({ [shirt]: 1, [socks]: 10 })
  expect(await cases(orderId)).toMatchObject([{ kind: 'order.refund_elsewhere', resolvedAt: expect.any(String) }])
})

it('expects back what the shop has refunded to be sent back, and makes a case of money for nothing', async () => {
  const { order, orderId } = await sourced()
  const [work] = (await people.order(orderId)).fulfillments
  await people.pickAll(work!)
  const packed = await people.packAll(work!)
  await people.handOver(work!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.lines.every((l) => l.delivered === l.quantity))
  await give(refundOf(order, 'return'))
  await give(refundOf(order, 'cancel', { refund_line_items: [] }))
  await heard(order, 2)
  const [back] = (await people.order(orderId)).returns
  expect(back).toMatchObject({ lines: [{ lineId: shirt, quantity: 1 }] })
  expect((await cases(orderId)).map((c) => c.kind)).toEqual(['channel.refund_unexplained'])
  await people.store('store-mitte')('POST', `/v1/returns/${back!.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: shirt, quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => !o.workflowOpen && o.paymentStatus === 'partially_refunded')
})
