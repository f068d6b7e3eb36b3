/** Gift cards and store credit: they pay first and get their money back last, and what is on them is never spent twice. */
import type { OrderView } from '../../db/views/orders'
import type { ReturnView } from '../../db/views/returns'
import { caller, orderOf, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT30S', restockBy: 'PT40S' }, sourcing: { maxShipments: 2 } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

interface Account {
  code: string
  balanceMinor: number
  heldMinor: number
  availableMinor: number
  moves: { kind: string; amountMinor: number }[]
}
const giftCard = async (amountMinor: number, more: object = {}): Promise<string> =>
  (await people.support<Account>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor, paidElsewhere: true, reason: 'sold at the till', ...more })).body.code
const onCard = async (code: string): Promise<Account> => (await people.shop<Account>('POST', '/v1/gift-cards/balance', { code })).body
const creditOf = (customerRef: string): Promise<Answer<Account>> => people.support<Account>('GET', `/v1/store-credits/${customerRef}?currency=EUR`)
const giveCredit = (customerRef: string, amountMinor: number): Promise<Answer<Account>> =>
  people.support<Account>('POST', '/v1/store-credits', { currency: 'EUR', amountMinor, paidElsewhere: false, reason: 'sorry', customerRef })
const two = (sku: string): OrderWish => ({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }] }) // 4,490 with shipping
const submit = (wish: OrderWish): Promise<Answer> => people.shop('POST', '/v1/orders', orderOf(wish))

async function delivered(orderId: string): Promise<OrderView> {
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  return people.until(orderId, (o) => o.lines[0]!.delivered === o.lines[0]!.quantity && o.money.owedMinor === 0)
}
async function sentBack(orderId: string, quantity: number): Promise<OrderView> {
  const { body } = await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too small' }], method: 'store' })
  await people.store('store-mitte')('POST', `/v1/returns/${body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity, grade: 'as_new', disposition: 'restock' }] })
  return people.until(orderId, (o) => o.returns.some((r) => r.returnId === body.returnId && r.status === 'closed') && o.money.owedMinor === 0 && o.payments.every((p) => p.refundedMinor <= p.capturedMinor))
}
const paid = (order: OrderView): [string, number, number][] => order.payments.map((p): [string, number, number] => [p.provider, p.capturedMinor, p.refundedMinor]).sort()

it('pays with the card that was given, then the customer’s credit, and the bank card for the rest; and gives back the other way round', async () => {
  const code = await giftCard(1_500)
  await giveCredit('c-gift', 800)
  const sku = await people.stocked({ 'dc-01': 2 })
  const tenders = [{ provider: 'stripe', paymentMethod: 'pm_card_visa' }, { provider: 'store_credit', amountMinor: 800 }, { provider: 'gift_card', paymentMethod: code.toLowerCase(), amountMinor: 1_500 }]
  const orderId = await people.place({ ...two(sku), customer: { customerRef: 'c-gift', name: 'Customer' }, tenders })
  expect(await onCard(code)).toMatchObject({ balanceMinor: 1_500, heldMinor: 1_500, availableMinor: 0 })
  expect(paid(await delivered(orderId))).toEqual([['gift_card', 1_500, 0], ['store_credit', 800, 0], ['stripe', 2_190, 0]])
  expect(await onCard(code)).toMatchObject({ balanceMinor: 0, heldMinor: 0 })

  await sentBack(orderId, 1)
  expect(paid(await people.until(orderId, (o) => o.money.refundedMinor === 2_000))).toEqual([['gift_card', 1_500, 0], ['store_credit', 800, 0], ['stripe', 2_190, 2_000]])
  await sentBack(orderId, 1)
  expect(paid(await people.until(orderId, (o) => o.money.refundedMinor === 4_490))).toEqual([['gift_card', 1_500, 1_500], ['store_credit', 800, 800], ['stripe', 2_190, 2_190]])
  expect(await onCard(code)).toMatchObject({ balanceMinor: 1_500, heldMinor: 0 })
  expect((await creditOf('c-gift')).body).toMatchObject({ balanceMinor: 800, moves: [{ kind: 'refunded', amountMinor: 800 }, { kind: 'captured', amountMinor: -800 }, { kind: 'issued', amountMinor: 800 }] })
  const { entries } = (await people.support<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body
  const sum = (account: string): number => entries.filter((e) => e.account === account).reduce((total, e) => total + e.amountMinor, 0)
  expect([sum('gift_card_liability'), sum('store_credit_liability'), sum('receivable')]).toEqual([0, 0, 0])
})

it('takes several parts of one gift card, as the parts leave', async () => {
  const code = await giftCard(10_000)
  const [sku, other] = [await people.stocked({ 'dc-01': 1 }), await people.stocked({ 'store-mitte': 1 })]
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }, { sku: other, quantity: 1, unitPriceMinor: 3_000 }], tenders: [{ provider: 'gift_card', paymentMethod: code }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  for (const work of fulfillments) {
    await people.pickAll(work)
    await people.packAll(work)
    await people.handOver(work)
  }
  await people.until(orderId, (o) => o.money.capturedMinor === 5_490)
  expect(await onCard(code)).toMatchObject({ balanceMinor: 4_510, heldMinor: 0 })
})

it('lets go of it when the bank says no to the rest, or the order is cancelled', async () => {
  const code = await giftCard(1_000)
  const sku = await people.stocked({ 'dc-01': 4 })
  const declined = await people.place({ ...two(sku), tenders: [{ provider: 'gift_card', paymentMethod: code, amountMinor: 1_000 }, { provider: 'stripe', paymentMethod: 'pm_card_chargeDeclined' }] })
  expect(await people.until(declined, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled' })
  expect(await onCard(code)).toMatchObject({ balanceMinor: 1_000, heldMinor: 0 })
  const cancelled = await people.place({ ...two(sku), tenders: [{ provider: 'gift_card', paymentMethod: code, amountMinor: 1_000 }, { provider: 'stripe', paymentMethod: 'pm_card_visa' }] })
  await people.support('POST', `/v1/orders/${cancelled}/cancel`, { reason: 'changed her mind' })
  await people.until(cancelled, (o) => !o.workflowOpen)
  expect(await onCard(code)).toMatchObject({ balanceMinor: 1_000, heldMinor: 0 })
})

it('is refused at the click, with nothing written, when it is unknown, expired, in another currency or has too little left', async () => {
  const sku = await people.stocked({ 'dc-01': 2 })
  const pays = (paymentMethod: string) => ({ ...two(sku), tenders: [{ provider: 'gift_card', paymentMethod }] })
  const [small, old, foreign] = [await giftCard(4_489), await giftCard(9_000, { expiresAt: '2020-01-01T00:00:00Z' }), await giftCard(9_000, { currency: 'CHF' })]
  expect(await submit(pays(small))).toMatchObject({ status: 409, body: { code: 'tender.declined', tenderId: 't1', reason: 'insufficient_funds' } })
  expect(await submit(pays(old))).toMatchObject({ status: 409, body: { code: 'tender.declined', reason: 'expired' } })
  for (const code of ['0000-0000-0000-0000', foreign]) expect(await submit(pays(code))).toMatchObject({ status: 400, body: { code: 'tender.unknown', errors: [{ pointer: '/tenders/0/paymentMethod' }] } })
  const credit = { ...two(sku), tenders: [{ provider: 'store_credit' }] }
  expect(await submit({ ...credit, customer: { customerRef: 'c-none' } })).toMatchObject({ status: 400, body: { code: 'tender.unknown', errors: [{ pointer: '/customer/customerRef' }] } })
  expect(await submit({ ...credit, customer: { name: 'Nobody' } })).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/customer/customerRef' }] } })
  expect(await onCard(small)).toMatchObject({ balanceMinor: 4_489, heldMinor: 0 })
  expect((await people.support<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}&nodeId=dc-01`)).body.items).toMatchObject([{ reserved: 0, allocated: 0, onHand: 2 }])
})

it('is spent once, however many orders come for it at the same time', async () => {
  const code = await giftCard(3 * 4_490)
  const sku = await people.stocked({ 'dc-01': 20 })
  const answers = await Promise.all(Array.from({ length: 10 }, () => submit({ ...two(sku), tenders: [{ provider: 'gift_card', paymentMethod: code }] })))
  expect(answers.map((a) => a.status).sort()).toEqual([201, 201, 201, ...Array.from({ length: 7 }, () => 409)])
  expect(await onCard(code)).toMatchObject({ availableMinor: 0, heldMinor: 13_470 })
})

it('gives store credit for a fault, which pays the next order', async () => {
  const sku = await people.stocked({ 'dc-01': 4 })
  const customer = { customerRef: 'c-sorry', name: 'Customer' }
  const orderId = await people.place({ ...two(sku), customer })
  await delivered(orderId)
  const ask = { lines: [{ lineId: '1', quantity: 1 }], remedy: 'credit', reason: 'a hole' }
  expect(await people.support('POST', `/v1/orders/${orderId}/claims?preview=true`, ask)).toMatchObject({ status: 200, body: { needsApproval: true, money: { refundMinor: 2_000 } } })
  const { returnId } = (await people.claim(orderId, ask)).body as { returnId: string }
  expect((await people.support('GET', `/v1/returns/${returnId}`)).body).toMatchObject({ remedy: 'credit', status: 'closed', refunds: [{ amountMinor: 2_000, status: 'succeeded' }] })
  expect(await people.order(orderId)).toMatchObject({ money: { refundedMinor: 0, creditedMinor: 2_000, owedMinor: 0 }, lines: [{ credited: 1, delivered: 2 }] })
  expect((await creditOf('c-sorry')).body).toMatchObject({ availableMinor: 2_000, moves: [{ kind: 'credited', amountMinor: 2_000 }] })
  // What comes back later is what is left of what was paid.
  await sentBack(orderId, 1)
  expect((await people.until(orderId, (o) => o.money.refundedMinor > 0)).money).toMatchObject({ refundedMinor: 2_490, creditedMinor: 2_000 })
  const next = await people.place({ ...two(sku), customer, tenders: [{ provider: 'store_credit', amountMinor: 2_000 }, { provider: 'stripe', paymentMethod: 'pm_card_visa' }] })
  await delivered(next)
  expect((await creditOf('c-sorry')).body).toMatchObject({ balanceMinor: 0 })
  const stranger = await people.place({ ...two(await people.stocked({ 'dc-01': 2 })), customer: { name: 'Nobody' } })
  await delivered(stranger)
  expect(await people.support('POST', `/v1/orders/${stranger}/claims`, ask)).toMatchObject({ status: 409, body: { code: 'claim.no_customer' } })
})

it('charges what a change adds to the bank card, and never to a gift card', async () => {
  const code = await giftCard(9_000)
  const sku = await people.stocked({ 'dc-01': 6 })
  const change = (orderId: string, more: object = {}) => people.support<{ changeId: string; chargeMinor: number }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 3 }], ...more })
  const only = await people.place({ ...two(sku), tenders: [{ provider: 'gift_card', paymentMethod: code }] })
  await people.until(only, (o) => o.fulfillments.length === 1)
  expect(await change(only)).toMatchObject({ status: 409, body: { code: 'order.change_not_payable', chargeMinor: 2_000 } })
  const asked = await change(only, { paymentMethod: 'pm_card_visa' })
  await people.support('POST', `/v1/orders/${only}/changes/${asked.body.changeId}/confirm`, {})
  expect(paid(await delivered(only))).toEqual([['gift_card', 4_490, 0], ['stripe', 2_000, 0]])
})

it('tells the code of a card to whoever made it, also when the answer was lost, and keeps it nowhere', async () => {
  const body = { currency: 'EUR', amountMinor: 1_000, paidElsewhere: true, reason: 'sold at the till' }
  const once = { 'idempotency-key': 'a card' }
  const [first, again] = [await people.support<Account>('POST', '/v1/gift-cards', body, once), await people.support<Account>('POST', '/v1/gift-cards', body, once)]
  expect(again.body).toEqual(first.body)
  expect(first.body.code).toMatch(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/)
  const kept = await system.db.raw<{ rows: object[] }>(`SELECT to_jsonb(c) AS answer FROM idempotency_keys c`)
  expect(JSON.stringify(kept.rows)).not.toContain(first.body.code)
  expect(await people.support('POST', '/v1/gift-cards', { ...body, code: first.body.code.toLowerCase() })).toMatchObject({ status: 409, body: { code: 'gift_card.code_in_use' } })
  expect(await caller(system.url, 'demo-channel-web')('POST', '/v1/gift-cards', body)).toMatchObject({ status: 403 })
})
