/** An order is stopped at named steps, and goes on when whoever may says so. */
import type { HoldView } from '../../db/views/holds'
import type { RunView } from '../../db/views/runs'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT4S', restockBy: 'PT30S' }, last_mile: { waveSize: 50, waveWait: 'PT1H' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const admin = (): ReturnType<typeof caller> => caller(system.url, 'demo-admin')
const hold = (orderId: string, blocks: string[], more: object = {}): Promise<Answer<HoldView>> => people.support<HoldView>('POST', `/v1/orders/${orderId}/holds`, { type: 'address', reason: 'the address looks wrong', blocks, ...more })
const release = (orderId: string, { holdId }: { holdId: string }, by = people.support): Promise<Answer> => by('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})
const inSoon = (ms: number): string => new Date(Date.now() + ms).toISOString()

async function released(wish = socks) {
  const orderId = await people.place(wish)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  return { orderId, work: fulfillments[0]! }
}

it('asks back what a store has begun: it stays in its list as held, picking is refused, and goes on afterwards where it was', async () => {
  const { orderId, work } = await released({ lines: [{ sku: 'SOCKS-3P', quantity: 2 }] })
  await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  const preview = await people.support('POST', `/v1/orders/${orderId}/holds?preview=true`, { type: 'address', reason: 'x', blocks: ['picking'] })
  expect(preview).toMatchObject({ status: 200, body: { preview: true, askedBack: [{ fulfillmentId: work.fulfillmentId, status: 'picking' }] } })
  const { status, body } = await hold(orderId, ['picking'])
  expect({ status, body }).toMatchObject({ status: 201, body: { type: 'address', blocks: ['picking'], owner: 'support', deadline: null, approvals: null } })
  expect(await people.order(orderId)).toMatchObject({ status: 'held', waitingOn: { what: 'hold', deadline: null }, holds: [{ holdId: body.holdId, reason: 'the address looks wrong' }] })
  const refused = await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  expect(refused).toMatchObject({ status: 409, body: { code: 'order.held', step: 'picking', holdId: body.holdId, owner: 'support' } })
  const seen = (await people.store(work.nodeId)<{ heldBy: unknown; status: string; allowedActions: string[] }>('GET', `/v1/fulfillments/${work.fulfillmentId}`)).body
  expect(seen).toMatchObject({ status: 'picking', heldBy: [{ holdId: body.holdId, type: 'address' }] })
  expect(seen.allowedActions).not.toContain('pick')
  const after = await release(orderId, body)
  expect(after).toMatchObject({ status: 200, body: { status: 'in_fulfillment', holds: [], waitingOn: { what: 'picking' } } })
  expect((await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 1 }] })).body.status).toBe('picked')
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['hold.placed', 'hold.released']))
})

it('gives no node the work while picking is held, and keeps what was claimed', async () => {
  const orderId = await people.place(socks)
  const { body } = await hold(orderId, ['sourcing', 'picking'])
  const held = await people.until(orderId, (o) => o.status === 'held' || o.fulfillments.length > 0)
  if (held.fulfillments.length === 0) expect(held.lines[0]!.allocated).toBe(1)
  await release(orderId, body)
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released') && o.status === 'in_fulfillment')
})

it('lets nothing leave while shipping is held, though it has its label', async () => {
  const { orderId, work } = await released()
  await people.pickAll(work)
  const { body } = await hold(orderId, ['shipping'])
  expect((await people.packAll(work)).status).toBe(200)
  expect(await people.handOver(work)).toMatchObject({ status: 409, body: { code: 'order.held', step: 'shipping' } })
  expect(await people.until(orderId, (o) => o.status === 'held')).toMatchObject({ waitingOn: { what: 'hold' } })
  await release(orderId, body)
  expect((await people.handOver(work)).body.status).toBe('handed_over')
})

it('either is held or leaves, never both', async () => {
  const tries = await Promise.all(Array.from({ length: 4 }, () => released()))
  for (const { work } of tries) {
    await people.pickAll(work)
    await people.packAll(work)
  }
  const outcomes = await Promise.all(tries.map(async ({ orderId, work }) => Promise.all([hold(orderId, ['shipping']), people.handOver(work)])))
  for (const [i, [held, left]] of outcomes.entries()) {
    expect(held.status).toBe(201) // on what has left it stops nothing
    const told = await people.told(tries[i]!.orderId)
    if (left.status === 200) expect(told.indexOf('shipment.handed_over')).toBeLessThan(told.indexOf('hold.placed'))
    else expect(told).not.toContain('shipment.handed_over')
  }
})

it('goes on only when the last of several holds is released', async () => {
  const { orderId, work } = await released()
  const [first, second] = [await hold(orderId, ['picking']), await hold(orderId, ['picking', 'shipping'], { type: 'customer', owner: 'operations' })]
  await release(orderId, first.body)
  expect(await people.order(orderId)).toMatchObject({ status: 'held', holds: [{ holdId: second.body.holdId }] })
  expect(await release(orderId, second.body)).toMatchObject({ status: 403, body: { code: 'hold.not_yours', owner: 'operations' } })
  expect((await release(orderId, second.body, people.operations)).status).toBe(200)
  expect((await people.pickAll(work)).body.status).toBe('picked')
  expect(await release(orderId, first.body)).toMatchObject({ status: 409, body: { code: 'hold.ended' } })
})

it('needs as many people as it says, none of whom placed it', async () => {
  const { orderId } = await released()
  const { body } = await hold(orderId, ['shipping'], { type: 'approval', approvals: 1, owner: 'support' })
  expect(await release(orderId, body)).toMatchObject({ status: 409, body: { code: 'hold.four_eyes', askedBy: 'support:demo-support' } })
  expect(await release(orderId, body, admin())).toMatchObject({ status: 200, body: { holds: [] } })
  const audit = await system.db('audit').where({ subject: orderId }).orderBy('audit_id').select<{ actor: string; action: string }[]>('actor', 'action')
  expect(audit.map((a) => a.action)).toEqual(['order.create', 'hold.place', 'hold.approve', 'hold.release'])
})

it('ends at its deadline as it says: released, or cancelled with the money let go and the stock free', async () => {
  const [goesOn, ends] = [await released(), await released()]
  await hold(goesOn.orderId, ['picking'], { deadline: inSoon(600), atDeadline: 'release' })
  await hold(ends.orderId, ['picking'], { deadline: inSoon(600), atDeadline: 'cancel' })
  await people.until(goesOn.orderId, (o) => o.holds.length === 0 && o.status === 'in_fulfillment')
  const cancelled = await people.until(ends.orderId, (o) => !o.workflowOpen)
  expect(cancelled).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', holds: [] })
})

it('is told to somebody at its deadline where nothing else is said, and when there is nothing left to cancel', async () => {
  const { orderId, work } = await released()
  const { body: first } = await hold(orderId, ['refund'], { deadline: inSoon(300) })
  await people.pickAll(work)
  await people.packAll(work)
  await people.handOver(work)
  const { body: second } = await hold(orderId, ['refund'], { deadline: inSoon(300), atDeadline: 'cancel' })
  const overdue = (): Promise<Answer<{ items: { orderId: string; data: { holdId: string } }[] }>> => people.operations('GET', '/v1/exceptions?kind=hold.overdue&limit=200')
  const found = await eventually(overdue, ({ body }) => body.items.filter((e) => e.orderId === orderId).length === 2)
  expect(found.body.items.filter((e) => e.orderId === orderId).map((e) => e.data.holdId).sort()).toEqual([first.holdId, second.holdId].sort())
  for (const { holdId } of [first, second]) await release(orderId, { holdId })
  expect((await overdue()).body.items.filter((e) => e.orderId === orderId)).toEqual([])
})

it('stays behind when the driver leaves, and goes with the next', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { orderId, work } = await released({ lines: [{ sku, quantity: 1 }], delivery: { method: 'delivery', service: 'own_driver', nodeId: 'store-mitte' } })
  await people.pickAll(work)
  await people.packAll(work)
  const plan = (): Promise<Answer<RunView>> => people.store('store-mitte')<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })
  const mark = caller(system.url, 'demo-courier-driver-mark')
  const run = (await plan()).body
  await mark('POST', `/v1/runs/${run.runId}/accept`, {})
  const { body } = await hold(orderId, ['shipping'])
  await mark('POST', `/v1/runs/${run.runId}/depart`, {})
  expect((await people.order(orderId)).fulfillments[0]!.status).toBe('packed')
  await mark('POST', `/v1/runs/${run.runId}/return`, {})
  expect(await plan()).toMatchObject({ status: 409, body: { code: 'run.nothing_waits' } })
  await release(orderId, body)
  const next = (await plan()).body
  for (const step of ['accept', 'depart']) await mark('POST', `/v1/runs/${next.runId}/${step}`, {})
  expect((await people.order(orderId)).fulfillments[0]!.status).toBe('in_transit')
})

it('counts what comes back, and gives nothing back while refunds are held', async () => {
  const { orderId, work } = await released()
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.until(orderId, (o) => o.paymentStatus === 'captured')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.status === 'delivered')
  const { body } = await hold(orderId, ['refund'])
  const back = await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })
  await people.store('store-mitte')('POST', `/v1/returns/${back.body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  expect(await people.order(orderId)).toMatchObject({ waitingOn: { what: 'hold' }, lines: [{ returned: 1 }], money: { refundedMinor: 0 } })
  await release(orderId, body)
  await people.until(orderId, (o) => o.money.refundedMinor === 1_490, 'the refund')
})

it('gives a store as much more time as it was stopped', async () => {
  const { orderId, work } = await released()
  const due = async (): Promise<number> => Date.parse((await people.store(work.nodeId)<{ packBy: string }>('GET', `/v1/fulfillments/${work.fulfillmentId}`)).body.packBy)
  const before = await due()
  const { body } = await hold(orderId, ['picking'])
  await eventually(() => Promise.resolve(Date.now() - Date.parse(body.placedAt)), (ms) => ms > 300)
  await release(orderId, body)
  expect((await due()) - before).toBeGreaterThanOrEqual(300)
})

it('is refused by name when it makes no sense', async () => {
  const { orderId } = await released()
  expect(await hold(orderId, ['everything'])).toMatchObject({ status: 400, body: { code: 'request.invalid' } })
  expect(await hold(orderId, [], {})).toMatchObject({ status: 400 })
  expect(await people.shop('POST', `/v1/orders/${orderId}/holds`, { type: 'x', reason: 'x', blocks: ['picking'] })).toMatchObject({ status: 403 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  expect(await hold(orderId, ['picking'])).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
})
