/** What is held over goods that are to come back may run out before they have to be: it is held anew in time; where the bank says no, support knows, and nothing is charged that is not held. */
import { holdsMoney, type PaymentState } from '../../domain/payment/view'
import type { ReturnView } from '../../db/views/returns'
import { expectInvariants } from '../support/invariants'
import { steer } from '../support/outside'
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

/** The bank holds money for a little while, and the policy looks ahead further than that lasts after a moment. */
const heldForMs = 14_000

let system: System
let people: People
/** What they wait for comes at the same time. */
let all: Record<'retried' | 'held' | 'heldByCard' | 'runsOutAfter' | 'refused' | 'retriedLate' | 'answered', Guarded>
beforeAll(async () => {
  system = await startSystem({
    watch: true, authorizationDays: heldForMs / 86_400_000,
    policies: { payment: { deadline: 'PT30S', reauthorizeBefore: 'PT10S' }, returns: { window: 'PT30S', restockBy: 'PT20S', advance: { hold: true } } },
  })
  people = peopleOf(system)
  const [retried, held, heldByCard, runsOutAfter, refused, retriedLate, answered] = await Promise.all([
    inAdvance({ refused: true }), inAdvance(), inAdvance({ paidElsewhere: true, card: { paymentMethod: 'pm_card_mastercard' } }), inAdvance().then(runsOutSoonAfter), inAdvance({ refused: true }), inAdvance({ refused: true }), inAdvance({ refused: true }),
  ])
  all = { retried, held, heldByCard, runsOutAfter, refused, retriedLate, answered }
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

interface Guarded {
  orderId: string
  returnId: string
}
/** Delivered, and another is on its way in advance. @param refused the bank does not hold it anew, the first time */
async function inAdvance({ refused, card = {}, ...wish }: OrderWish & { refused?: true; card?: { paymentMethod?: string } } = {}): Promise<Guarded> {
  const [sku, other] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 5_000 }], ...wish })
  await arrives(orderId)
  const { body } = await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: other, reason: 'too big' }], collectOld: 'mail', ...card })
  if (refused) await bank(await people.order(orderId))
  await arrives(orderId)
  return { orderId, returnId: body.returnId }
}
async function arrives(orderId: string): Promise<void> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'a work order')
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.fulfillments.every((f) => f.status === 'delivered') && o.money.owedMinor === 0, 'delivery')
}
/** Only just after they have to be back. */
async function runsOutSoonAfter(guarded: Guarded): Promise<Guarded> {
  await system.db.raw(`UPDATE payments p SET authorization_expires_at = r.due_at + interval '2 seconds' FROM exchange_payments x JOIN returns r USING (return_id) WHERE x.payment_id = p.payment_id AND r.return_id = ?`, [guarded.returnId])
  return guarded
}
const guards = (returnId: string): Promise<{ status: string; captured_minor: number }[]> =>
  system.db('exchange_payments').join('payments', 'payments.payment_id', 'exchange_payments.payment_id').where({ return_id: returnId }).orderBy('payments.payment_id').select('status', 'captured_minor')
const cases = async (orderId: string): Promise<{ exceptionId: string; kind: string }[]> =>
  (await people.operations<{ items: { exceptionId: string; orderId: string; kind: string }[] }>('GET', '/v1/exceptions?limit=200')).body.items.filter((e) => e.orderId === orderId)
const bank = ({ channel, channelOrderId }: { channel: string; channelOrderId: string }): Promise<unknown> => steer(system.payments.url, '/control/faults', { next: 1, operation: 'authorize', kind: 'decline', about: `${channel} ${channelOrderId}` })

async function retry(orderId: string): Promise<void> {
  const open = await eventually(() => cases(orderId), (found) => found.some((e) => e.kind === 'return.guard_not_held'), { what: 'word to support' })
  await people.support('POST', `/v1/exceptions/${open.find((e) => e.kind === 'return.guard_not_held')!.exceptionId}/retry`, {})
}
/** One alone is held, or its date has come and it is taken. */
const isRenewed = (held: { status: string }[]): boolean => held[0]!.status === 'voided' && held.filter((g) => holdsMoney(g.status as PaymentState)).length === 1

it('asks the bank again when somebody presses retry', async () => {
  const { orderId, returnId } = all.retried
  await retry(orderId)
  await eventually(() => guards(returnId), isRenewed, { what: 'another hold' })
  await people.until(orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')
})

it('holds it anew before it runs out, by the card it is held on, lets go of what was held before, and takes the newest when the goods do not come', async () => {
  for (const { orderId, returnId } of [all.held, all.heldByCard]) {
    await eventually(() => guards(returnId), isRenewed, { what: 'another hold' })
    expect(await people.told(orderId)).toContain('return.held_anew')
    await people.until(orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')
    const taken = await guards(returnId)
    expect(taken.map((g) => Number(g.captured_minor))).toEqual([...taken.slice(1).map(() => 0), 5_000])
    expect(await cases(orderId)).toEqual([])
  }
})

it('holds it anew as well where it runs out soon after the date: that may be put off, as long as the new goods are on their way', async () => {
  const { orderId, returnId } = all.runsOutAfter
  await eventually(() => guards(returnId), isRenewed, { what: 'another hold' })
  await people.until(orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')
  expect(await cases(orderId)).toEqual([])
})

const notCharged = async (orderId: string): Promise<string> =>
  (await eventually(() => cases(orderId), (open) => open.some((e) => e.kind === 'return.not_charged'), { what: 'word that nothing was charged' })).find((e) => e.kind === 'return.not_charged')!.exceptionId

it('tells support where the bank does not hold it anew, and that nothing was charged, once the old hold is gone too', async () => {
  const { orderId, returnId } = all.refused
  await notCharged(orderId)
  expect((await cases(orderId)).map((e) => e.kind)).toContain('return.guard_not_held')
  expect((await people.order(orderId)).money).toMatchObject({ capturedMinor: 5_490 })
  const counted = await people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  expect(counted.status).toBe(200)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the end of the return')
})

it('charges at once what it could not charge at the date, where somebody presses retry after that and the bank holds it', async () => {
  const { orderId, returnId } = all.retriedLate
  await notCharged(orderId)
  await retry(orderId)
  await people.until(orderId, (o) => o.money.capturedMinor === 10_490 && o.returns[0]!.status === 'closed', 'the charge')
  expect((await guards(returnId)).map((g) => Number(g.captured_minor)).filter((minor) => minor > 0)).toEqual([5_000])
  await eventually(() => cases(orderId), (open) => open.length === 0, { what: 'no case' })
})

it('holds nothing more once support has answered for what could not be charged', async () => {
  const { orderId, returnId } = all.answered
  await people.support('POST', `/v1/exceptions/${await notCharged(orderId)}/resolve`, { resolution: 'paid in cash at the counter' })
  const held = (await guards(returnId)).length
  await retry(orderId)
  await eventually(() => cases(orderId), (left) => left.length === 0, { what: 'no case' })
  expect(await guards(returnId)).toHaveLength(held)
  expect(await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).toMatchObject({ body: { allowedActions: ['receive', 'close', 'remind'] } })
  expect((await people.support('POST', `/v1/returns/${returnId}/close`, {})).status).toBe(200)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the end of the return')
})
