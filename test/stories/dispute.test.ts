/** The customer has her bank take the money back: finance hears of it at once, and nothing is given back a second time. */
import { randomUUID } from 'node:crypto'
import { beginCall } from '../../db/payment-operations'
import { caller, eventually, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const control = async <Answer>(path: string, body: object): Promise<Answer> => {
  const answer = await fetch(`${system.payments.url}/control/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Answer
}

/** An order that has left and is paid. */
async function paid(): Promise<{ orderId: string; reference: string; paymentId: string }> {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  const { payments } = await people.until(orderId, (o) => o.paymentStatus === 'captured')
  const reference = payments[0]!.reference!
  const [{ payment_id: paymentId }] = (await system.db('payments').where({ reference }).select('payment_id')) as [{ payment_id: string }]
  return { orderId, reference, paymentId }
}

interface Waiting {
  kind: string
  orderId: string
  owner: string
  data: Record<string, unknown>
}
const waiting = async (orderId: string): Promise<Waiting[]> => (await caller(system.url, 'demo-finance')<{ items: Waiting[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items

async function intendRefund(paymentId: string, orderId: string): Promise<string> {
  const operation_id = randomUUID()
  await system.db('payment_operations').insert({ operation_id, payment_id: paymentId, order_id: orderId, kind: 'refund', purpose: `test:${operation_id}`, amount_minor: 100 })
  return operation_id
}
const endRefund = (operation_id: string): Promise<unknown> => system.db('payment_operations').where({ operation_id }).update({ status: 'abandoned' })

it('freezes refunds of a disputed payment until it is won, tells finance the amount, and says both on the timeline', async () => {
  const { orderId, reference, paymentId } = await paid()
  const refund = await intendRefund(paymentId, orderId)
  const dispute = await control<{ id: string }>('disputes', { paymentIntent: reference })
  const [open] = await eventually(() => waiting(orderId), (found) => found.length === 1)
  expect(open).toMatchObject({ kind: 'payment.disputed', owner: 'finance', data: { disputeId: dispute.id, amountMinor: 1_490, currency: 'EUR', reference } })
  await expect(beginCall(system.db, refund, false)).rejects.toMatchObject({ code: 'payment.disputed', data: { disputeId: dispute.id, amountMinor: 1_490 } })
  await control(`disputes/${dispute.id}`, { status: 'won' })
  expect(await eventually(() => waiting(orderId), (found) => found.length === 0)).toEqual([])
  expect(await beginCall(system.db, refund, false)).toEqual({ keyNumber: 1, amountMinor: 100 })
  await endRefund(refund)
  expect((await people.told(orderId)).filter((type) => type.startsWith('payment.dispute'))).toEqual(['payment.disputed', 'payment.dispute_closed'])
})

it('ends the same when the news comes twice and the end first', async () => {
  const { orderId, reference } = await paid()
  await control('webhooks', { duplicate: true, shuffle: true, delayMs: 200 })
  const dispute = await control<{ id: string }>('disputes', { paymentIntent: reference })
  await control(`disputes/${dispute.id}`, { status: 'lost' })
  const told = await eventually(() => waiting(orderId), (found) => found.some((e) => e.kind === 'payment.dispute_lost'))
  await eventually(
    async () => Number((await system.db('inbound_events').where({ kind: 'dispute', subject: reference, status: 'done' }).count())[0]!.count),
    (done) => done === 2,
  )
  await control('webhooks', {})
  expect(told.map((e) => e.kind)).toEqual(['payment.dispute_lost'])
  expect(await waiting(orderId)).toHaveLength(1)
  expect(await system.db('disputes').where({ dispute_id: dispute.id }).select('status')).toEqual([{ status: 'lost' }])
})

it('shows in the settlement what the bank took', async () => {
  const { reference } = await paid()
  await control('settlement-breaks', { kind: 'chargeback', paymentIntent: reference })
  const csv = await (await fetch(`${system.payments.url}/control/settlement.csv`)).text()
  const headers = { authorization: 'Bearer demo-finance', 'content-type': 'text/csv', 'idempotency-key': randomUUID() }
  const sent = (await (await fetch(`${system.url}/v1/settlements`, { method: 'POST', headers, body: csv })).json()) as { matched: number; breaks: { reason: string; theirsMinor: number }[] }
  expect(sent.matched).toBe(3)
  // The first was won: the money that was taken came back.
  expect(sent.breaks.map((b) => [b.reason, b.theirsMinor])).toEqual([['chargeback', -1_490], ['chargeback', 1_490], ['chargeback', -1_490], ['chargeback', -1_490]])
})

it('gives what the provider refused while it knew of a dispute and we did not, once the shop has won', async () => {
  const { orderId, reference } = await paid()
  await control('webhooks', { delayMs: 60_000 })
  const dispute = await control<{ id: string }>('disputes', { paymentIntent: reference })
  expect((await people.giveBack(orderId, { amountMinor: 300, reason: 'scratched' }, 'approve')).status).toBeLessThan(300)
  await eventually(() => system.db('payment_operations').where({ order_id: orderId, kind: 'refund' }).select('attempts'), ([refund]) => refund !== undefined && (refund as { attempts: number }).attempts > 1)
  await control('webhooks', {})
  await control(`disputes/${dispute.id}`, { status: 'won' })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 300, 'the refund')).toMatchObject({ money: { owedMinor: 0 } })
})
