/** Erasing a customer: canaries stand in everything personal of a whole life with us; afterwards none is found in any table or history, and the books are what they were. */
import { orderWorkflowId } from '../../domain/ids'
import type { OrderView } from '../../db/views/orders'
import type { RunView } from '../../db/views/runs'
import { rows } from '../../db/connection'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, nearMitte, peopleOf, type Call, type FulfillmentWork, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { startSystem, type System } from '../support/system'

/** Her number at the shop; Shopify knows her by it too. */
const customerRef = '77300773015501'
const canary = 'kanari9x'
const canaries = [canary, customerRef, '52.52517']
const person = { customerRef, name: `${canary} Vogel`, email: `${canary}@example.org`, phone: `+49301${canary}` }
const door = (n: number): Record<string, unknown> => ({ ...nearMitte, name: `${canary} Vogel`, line1: `${canary}straße ${n}`, city: `${canary}stadt`, latitude: 52.52517, longitude: 13.40123 })

let system: System
let people: People
let admin: Call
beforeAll(async () => {
  system = await startSystem({ policies: { last_mile: { waveSize: 50, waveWait: 'PT1H', nextAttemptAfter: 'PT0.2S' }, returns: { window: 'PT4S', restockBy: 'P3D' } } })
  people = peopleOf(system)
  admin = caller(system.url, 'demo-admin')
}, 30_000)
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const place = async (more: object = {}): Promise<string> =>
  people.place({ lines: [{ sku: await people.stocked({ 'store-mitte': 3 }), quantity: 1 }], customer: person, shipTo: door(1), paidElsewhere: false, ...more })
const released = async (orderId: string): Promise<FulfillmentWork> => (await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))).fulfillments.find((f) => f.status === 'released')!
const ended = (orderId: string): Promise<OrderView> => people.until(orderId, (o) => !o.workflowOpen)

/** Delivered to another door than she first said, and one of it sent back. */
async function changedAndReturned(): Promise<string> {
  const orderId = await place()
  await released(orderId)
  const asked = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setShipTo', shipTo: door(2) }] })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).toMatchObject({ status: 200 })
  const work = await released(orderId)
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.lines[0]!.delivered === 1)
  const back = await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, {
    lines: [{ lineId: '1', quantity: 1, reason: 'too small' }], method: 'mail', proof: { receipt: `${canary}-receipt` },
  })
  expect(back.status).toBe(201)
  const count = { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] }
  expect(await people.store('store-mitte')('POST', `/v1/returns/${back.body.returnId}/receive`, count)).toMatchObject({ status: 200 })
  return orderId
}

async function fetchedAtTheCounter(): Promise<string> {
  const orderId = await place({ delivery: { method: 'pickup', nodeId: 'store-mitte' } })
  const work = await released(orderId)
  await people.pickAll(work)
  await people.work(work, 'ready-for-pickup', {})
  expect(await people.work(work, 'collect', { proof: { name: `${canary} Vogel`, idChecked: true } })).toMatchObject({ status: 200 })
  return orderId
}

async function broughtByADriver(): Promise<string> {
  const orderId = await place({ delivery: { method: 'delivery', service: 'own_driver', nodeId: 'store-mitte' } })
  const work = await released(orderId)
  await people.pickAll(work)
  await people.packAll(work)
  const mark = caller(system.url, 'demo-courier-driver-mark')
  const run = (await people.store('store-mitte')<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })).body
  await mark('POST', `/v1/runs/${run.runId}/accept`, {})
  await mark('POST', `/v1/runs/${run.runId}/depart`, {})
  const [stop] = run.stops
  const done = { outcome: 'done', reason: `neighbour of ${canary}`, proof: { name: `${canary} Vogel`, photoRef: `photos/${canary}.jpg` } }
  expect(await mark('POST', `/v1/runs/${run.runId}/stops/${stop!.stopId}/complete`, { tasks: stop!.tasks.map((t) => ({ taskId: t.taskId, ...done })) })).toMatchObject({ status: 200 })
  await mark('POST', `/v1/runs/${run.runId}/return`, {})
  return orderId
}

const shopOrder = (): ReturnType<typeof freshShopifyOrder> => {
  const shop = freshShopifyOrder()
  const [first, last] = [canary, 'Vogel']
  return {
    ...shop, email: person.email, phone: person.phone,
    customer: { admin_graphql_api_id: `gid://shopify/Customer/${customerRef}`, first_name: first, last_name: last, email: person.email },
    shipping_address: { ...shop.shipping_address, ...{ name: `${first} ${last}`, first_name: first, last_name: last, address1: `${canary}straße 3`, phone: person.phone } },
  }
}

/** One becomes an order once it is repaired, one never does. */
async function quarantined(): Promise<string> {
  const broken = (): object => {
    const shop = shopOrder()
    return { ...shop, line_items: shop.line_items.map((l) => ({ ...l, sku: 'NO-SUCH' })) }
  }
  const [repaired] = [await sendShopify(system.url, broken()), await sendShopify(system.url, broken())]
  const retried = await people.support<{ orderId: string }>('POST', `/v1/quarantine/${repaired.body.quarantineId}/retry`, { patch: { line_items: shopOrder().line_items } })
  expect(retried.status).toBe(200)
  return retried.body.orderId
}

/** Every row of every table, as text; bytes too, as the text they may be. */
async function everything(): Promise<{ table: string; text: string }[]> {
  const tables = await rows<{ name: string }>(system.db, `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
  const texts = await Promise.all(tables.map(async ({ name }) => (await rows<{ text: string }>(system.db, `SELECT t::text AS text FROM "${name}" t`)).map(({ text }) => ({ table: name, text }))))
  return texts.flat()
}
async function foundIn(): Promise<string[]> {
  const hex = (text: string): string => Buffer.from(text).toString('hex')
  return (await everything()).filter(({ text }) => canaries.some((c) => text.toLowerCase().includes(c) || text.includes(hex(c)))).map(({ table, text }) => `${table}: ${text}`)
}
const tablesOf = (found: readonly string[]): string[] => [...new Set(found.map((f) => f.split(':')[0]!))].sort()

async function historyText(orderId: string): Promise<string> {
  const { channel, channelOrderId } = await people.order(orderId)
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'))
    else if (typeof value === 'string') texts.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(await system.client.workflow.getHandle(orderWorkflowId(channel, channelOrderId)).fetchHistory())
  return texts.join('\n')
}
const books = async (): Promise<unknown> => [await system.db('ledger_entries').orderBy('entry_id'), await system.db('stock_movements').orderBy('movement_id'), await system.db('order_events').orderBy('seq')]

it('finds her in many tables before, and in none after; the books and the histories are what they were', async () => {
  const orders = [await changedAndReturned(), await fetchedAtTheCounter(), await broughtByADriver()]
  const shop = await sendShopify(system.url, shopOrder())
  const others = [shop.body.orderId!, await quarantined()]
  for (const orderId of others) {
    await people.until(orderId, (o) => o.status !== 'placed')
    expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not wanted' })).toMatchObject({ status: 200 })
  }
  await admin('POST', '/v1/store-credits', { currency: 'EUR', amountMinor: 300, paidElsewhere: false, reason: 'goodwill', customerRef })
  await Promise.all([...orders, ...others].map(ended))
  const open = await place()
  const openWork = await released(open)

  const before = tablesOf(await foundIn())
  expect(before).toEqual(expect.arrayContaining(['collection_proofs', 'delivery_proofs', 'idempotency_keys', 'order_changes', 'order_versions', 'orders', 'quarantine', 'return_proofs', 'stop_tasks', 'stops']))
  const kept = await books()

  const refused = await admin<{ code: string }>('POST', `/v1/customers/${customerRef}/erase`, {})
  expect(refused).toMatchObject({ status: 409, body: { code: 'customer.has_credit', credit: [{ currency: 'EUR', balanceMinor: 300 }] } })
  const preview = await people.support<{ rows: Record<string, number> }>('POST', `/v1/customers/${customerRef}/erase?preview=true`, { forfeitCredit: true })
  expect(preview).toMatchObject({ status: 200, body: { preview: true, erasureId: null, orders: { erased: 5, waiting: 1 }, rows: { orders: 5, collection_proofs: 1, delivery_proofs: 1, return_proofs: 1, quarantine: 2, stops: 1, value_accounts: 1 } } })
  expect(tablesOf(await foundIn())).toEqual(before)

  const erased = await people.support<{ erasureId: string; rows: object }>('POST', `/v1/customers/${customerRef}/erase`, { forfeitCredit: true })
  expect(erased).toMatchObject({ status: 200, body: { status: 'scheduled', orders: { erased: 5, waiting: 1 }, rows: preview.body.rows } })
  const left = await foundIn()
  expect(left.filter((text) => !text.includes(open) && !text.includes(openWork.fulfillmentId))).toEqual([])
  expect(await books()).toEqual(kept)

  // What was under way goes when it ends: in that very transaction.
  expect(await people.support('POST', `/v1/orders/${open}/cancel`, { reason: 'not wanted' })).toMatchObject({ status: 200 })
  await ended(open)
  expect(await foundIn()).toEqual([])

  const again = await people.support('POST', `/v1/customers/${customerRef}/erase`, { forfeitCredit: true })
  expect(again).toMatchObject({ status: 200, body: { status: 'done', orders: { erased: 0, waiting: 0 }, rows: {} } })
  for (const orderId of [...orders, ...others, open]) {
    expect(await people.order(orderId)).toMatchObject({ customer: null, workflowOpen: false })
    const history = await historyText(orderId)
    expect(history.length).toBeGreaterThan(1_000)
    expect(canaries.filter((c) => history.includes(c))).toEqual([])
  }
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders?q=${canary}`)).body.items).toEqual([])
  const audit = (await admin<{ items: object[] }>('GET', `/v1/audit?subject=${erased.body.erasureId}`)).body.items
  expect(audit).toMatchObject([{ action: 'customer.erase', actor: 'support:demo-support' }])
}, 60_000)

it('erases one order of somebody without a number, and leaves those of others alone', async () => {
  const other = await place({ customer: { customerRef: 'c-78', name: 'Other Person', email: 'other@example.org' } })
  const mine = await place({ customer: { name: `${canary} Guest`, email: person.email } })
  for (const orderId of [other, mine]) {
    await released(orderId)
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not wanted' })
    await ended(orderId)
  }
  expect(await people.support('POST', `/v1/orders/${mine}/erase`, {})).toMatchObject({ status: 200, body: { status: 'done', orders: { erased: 1 } } })
  expect(await people.order(mine)).toMatchObject({ customer: null, shipTo: { country: 'DE' } })
  expect(await people.order(other)).toMatchObject({ customer: { name: 'Other Person' } })
  expect(await people.operations('POST', `/v1/orders/${mine}/erase`, {})).toMatchObject({ status: 403 })
}, 30_000)

it('keeps nothing of her in what a shop says of an erased order afterwards, and knows its repeats', async () => {
  const ofOthers = await foundIn()
  const sold = shopOrder()
  const orderId = (await sendShopify(system.url, sold)).body.orderId!
  await people.until(orderId, (o) => o.status !== 'placed')
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not wanted' })
  await ended(orderId)
  expect(await people.support('POST', `/v1/orders/${orderId}/erase`, {})).toMatchObject({ status: 200, body: { status: 'done' } })
  expect(await foundIn()).toEqual(ofOthers)
  const { channelOrderId } = await people.order(orderId)
  const updated = { ...sold, updated_at: '2026-12-24T10:00:00Z', note: `${canary} moved` }
  const broken = { ...updated, line_items: 'none', shipping_address: 7 }
  const messages = [
    ['orders/updated', updated], ['orders/create', { ...updated, shipping_address: { ...sold.shipping_address, address1: `${canary}weg 9` } }], ['orders/updated', broken], ['orders/create', broken], ['orders/cancelled', { ...updated, cancel_reason: { of: canary } }],
  ] as const
  for (const [i, [topic, body]] of messages.entries())
    for (let times = 0; times < 2; times += 1) expect([topic, (await sendShopify(system.url, body, { topic, webhookId: `after-${channelOrderId}-${i}` })).status]).toEqual([topic, 200])
  await eventually(() => system.db('inbound_events').where({ status: 'queued' }), (queued) => queued.length === 0, { what: 'an empty inbox' })
  expect(await foundIn()).toEqual(ofOthers)
  const kept = await system.db('channel_documents').where({ channel_order_id: channelOrderId }).select<{ topic: string; body: object }[]>('topic', 'body')
  expect(kept.map((d) => [d.topic, d.body])).toEqual(expect.arrayContaining([['order', {}], ['update', {}], ['resubmitted', {}]]))
  expect(await system.db('quarantine').where({ channel_order_id: channelOrderId, status: 'open' })).toEqual([])
  expect(await people.order(orderId)).toMatchObject({ status: 'cancelled', customer: null })
}, 30_000)
