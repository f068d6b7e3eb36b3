/** Returns as the policy wants them: agreed to by a person, for a fee, paid before they come; and the provider failing at the worst moment. */
import type { ReturnView } from '../../db/views/returns'
import { caller, eventually, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf, steer } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const returns = { window: 'PT60S', restockBy: 'PT2S', approval: 'by_staff', feeMinor: 300, finalSale: ['KEEP-'] } as const
beforeAll(async () => {
  system = await startSystem({ policies: { returns, care: { retryEvery: 'PT0.3S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(units: number, sku?: string, unitPriceMinor = 2_000): Promise<string> {
  const goods = sku ?? (await people.stocked({ 'store-mitte': units }))
  const orderId = await people.place({ lines: [{ sku: goods, quantity: units, unitPriceMinor }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return orderId
}

const asked = (orderId: string, quantity: number, { key = 'demo-channel-web', headers = {} } = {}): Promise<Answer<ReturnView>> =>
  caller(system.url, key)<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method: 'mail' }, headers)
const decide = (returnId: string, decision: string, body: object = {}, key = 'demo-support'): Promise<Answer<ReturnView>> => caller(system.url, key)<ReturnView>('POST', `/v1/returns/${returnId}/${decision}`, body)
const count = (returnId: string, lines: object[], key = 'demo-store-store-mitte', nodeId = 'store-mitte'): Promise<Answer<ReturnView>> =>
  caller(system.url, key)<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId, lines: lines.map((l) => ({ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock', ...l })) })
const view = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const exceptions = async (orderId: string): Promise<{ kind: string; status: string }[]> =>
  (await people.operations<{ items: { orderId: string; kind: string; status: string }[] }>('GET', '/v1/exceptions?status=all&limit=200')).body.items.filter((e) => e.orderId === orderId)

it('waits for somebody to agree, takes the fee once, and says in the preview what remains', async () => {
  const orderId = await delivered(2)
  const preview = await people.shop<{ money: object; approved: boolean }>('POST', `/v1/orders/${orderId}/returns?preview=true`, { lines: [{ lineId: '1', quantity: 2, reason: 'too big' }], method: 'mail' })
  expect(preview).toMatchObject({ status: 200, body: { approved: false, money: { refundMinor: 4_190, goodsMinor: 4_000, shippingMinor: 490, feeMinor: -300 } } })
  const { returnId } = (await asked(orderId, 2)).body
  expect(await view(returnId)).toMatchObject({ status: 'requested', waitingOn: { what: 'approval' }, allowedActions: ['approve', 'reject', 'cancel'] })
  expect((await count(returnId, [{}])).body).toMatchObject({ code: 'return.state', state: 'requested' })
  expect(await exceptions(orderId)).toMatchObject([{ kind: 'return.to_approve', status: 'open' }])
  expect((await decide(returnId, 'approve', {}, 'demo-channel-web')).status).toBe(403)
  expect(await decide(returnId, 'approve')).toMatchObject({ status: 200, body: { status: 'approved' } })
  expect(await exceptions(orderId)).toMatchObject([{ status: 'resolved' }])
  await count(returnId, [{}])
  await people.until(orderId, (o) => o.money.refundedMinor === 1_700)
  await count(returnId, [{}])
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 4_190)).toMatchObject({ money: { owedMinor: 0 } })
})

it('keeps as its fee all of what is worth less, and the books say so', async () => {
  const orderId = await delivered(2, undefined, 200)
  const { returnId } = (await asked(orderId, 1)).body
  await decide(returnId, 'approve')
  await count(returnId, [{}])
  expect(await eventually(() => view(returnId), (r) => r.status === 'closed')).toMatchObject({ lines: [{ received: 1 }] })
  expect(await people.order(orderId)).toMatchObject({ lines: [{ credited: 1 }], money: { capturedMinor: 890, refundedMinor: 0, owedMinor: 0 } })
  const kept = await system.db('ledger_entries').where({ order_id: orderId, kind: 'refund' }).orderBy('account').select('account', 'amount_minor as amountMinor')
  expect(kept).toEqual([{ account: 'adjustments', amountMinor: -200 }, { account: 'refund', amountMinor: 200 }])
})

it('refuses what the policy does not allow, and nothing of it is kept', async () => {
  await people.operations('PUT', '/v1/skus/KEEP-1', { name: 'Not taken back', weightGrams: 100 })
  await people.operations('POST', '/v1/inventory/adjustments', { sku: 'KEEP-1', nodeId: 'store-mitte', delta: 1, reason: 'opening' })
  const orderId = await delivered(1, 'KEEP-1')
  expect(await asked(orderId, 1)).toMatchObject({ status: 409, body: { code: 'return.final_sale', skus: ['KEEP-1'] } })
  expect(await asked(orderId, 2)).toMatchObject({ status: 409, body: { code: 'return.quantity', open: 1, given: 2 } })
  expect((await caller(system.url, 'demo-channel-pos')('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'x' }], method: 'store' })).body).toMatchObject({ code: 'order.unknown' })
  const twice = { lines: [{ lineId: '1', quantity: 1, reason: 'x' }, { lineId: '1', quantity: 1, reason: 'y' }], method: 'store' }
  expect(await people.shop('POST', `/v1/orders/${orderId}/returns`, twice)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/lines' }] } })
  expect((await people.order(orderId)).returns).toEqual([])
  expect((await people.support('GET', '/v1/returns/00000000-0000-7000-8000-000000000000')).body).toMatchObject({ code: 'return.unknown' })
})

it('lets go of a request that is refused or taken back, and lets the customer ask again', async () => {
  const orderId = await delivered(1)
  const first = (await asked(orderId, 1)).body.returnId
  expect((await asked(orderId, 1)).body).toMatchObject({ code: 'return.quantity', open: 0 })
  expect(await decide(first, 'reject', { reason: 'worn' })).toMatchObject({ status: 200, body: { status: 'rejected', allowedActions: [] } })
  const again = { key: 'demo-channel-web', headers: { 'idempotency-key': `again-${orderId}` } }
  const second = (await asked(orderId, 1, again)).body.returnId
  expect((await asked(orderId, 1, again)).body.returnId).toBe(second)
  expect(await decide(second, 'cancel', {}, 'demo-channel-web')).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  expect((await decide(second, 'approve')).body).toMatchObject({ code: 'return.state', state: 'cancelled' })
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'rejected' }, { status: 'cancelled' }], waitingOn: { what: 'return_window' } })
})

it('tells support when nothing comes, takes it whenever it does, and pays nothing for an empty box', async () => {
  const orderId = await delivered(2)
  const { returnId } = (await asked(orderId, 2, { key: 'demo-support' })).body
  await eventually(() => exceptions(orderId), (all) => all.some((e) => e.kind === 'return.overdue'), { what: 'somebody to be told' })
  expect((await count(returnId, [{}], 'demo-store-store-mitte', 'store-kreuzberg')).body).toMatchObject({ code: 'auth.scope' })
  expect(await count(returnId, [{ grade: 'empty_box' }])).toMatchObject({ status: 200, body: { lines: [{ received: 0, disputed: 1 }] } })
  expect((await count(returnId, [{ quantity: 2 }])).body).toMatchObject({ code: 'return.quantity', open: 1, given: 2 })
  await count(returnId, [{}])
  await people.until(orderId, (o) => o.money.refundedMinor === 1_700 && o.returns[0]!.status === 'closed')
  expect(await exceptions(orderId)).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'return.disputed', status: 'open' }), expect.objectContaining({ kind: 'return.overdue', status: 'resolved' })]))
})

it.each([
  ['is executed and its answer lost', { kind: 'timeout_after_effect', delayMs: 2_500 }],
  ['fails with a 500 that is stored under the key', { kind: 'error_500' }],
  ['is slow', { kind: 'slow', delayMs: 2_500 }],
])('gives money back once when the refund %s', async (_how, fault) => {
  const orderId = await delivered(1)
  const { returnId } = (await asked(orderId, 1, { key: 'demo-support' })).body
  await steer(system.payments.url, '/control/faults', { next: 1, operation: 'refund', ...fault })
  await count(returnId, [{}])
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the refund')
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 2_490, refundedMinor: 2_190 }])
  expect((await people.told(orderId)).filter((type) => type === 'payment.refunded')).toHaveLength(1)
})

it('tells finance while the provider is away, and gives the money back when it is there again', async () => {
  const orderId = await delivered(1)
  const { returnId } = (await asked(orderId, 1, { key: 'demo-support' })).body
  await steer(system.payments.url, '/control/outage', { ms: 6_000 })
  await count(returnId, [{}])
  await eventually(() => exceptions(orderId), (all) => all.some((e) => e.kind === 'payment.refund_failed' && e.status === 'open'))
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the refund')
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 2_190 }])
  expect(await exceptions(orderId)).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'payment.refund_failed', status: 'resolved' })]))
})

it('leaves what a channel took to the channel, and keeps the books of it', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }], paidElsewhere: true })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === 1)
  const { returnId } = (await asked(orderId, 1, { key: 'demo-support' })).body
  await count(returnId, [{}])
  expect(await people.until(orderId, (o) => o.returns[0]!.status === 'closed')).toMatchObject({ money: { refundedMinor: 2_190, owedMinor: 0 } })
  const { entries } = (await caller(system.url, 'demo-finance')<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body
  const sums: Record<string, number> = {}
  for (const { account, amountMinor } of entries) sums[account] = (sums[account] ?? 0) + amountMinor
  expect(sums).toEqual({ elsewhere: 300, revenue: -2_000, shipping: 0, refund: 2_000, adjustments: -300 })
})
