/** Another thing at another price in place of what was delivered: what it costs more is held first and taken when it leaves, what it costs less is given back when the old goods are there; and whatever follows adds up. */
import type { OrderView } from '../../db/views/orders'
import type { ReturnView } from '../../db/views/returns'
import { eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf, steer } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT30S', restockBy: 'PT60S' }, parcels: { lost: 'refund' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

/** Whatever is still in the building goes to the carrier. @returns the tracking number */
async function sendOff(orderId: string): Promise<string> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'a work order')
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect((await people.handOver(work)).status).toBe(200)
  return packed.body.packages[0]!.trackingNumber!
}
async function arrives(orderId: string): Promise<OrderView> {
  await people.carrierSays(await sendOff(orderId), 'delivered')
  return people.until(orderId, (o) => o.fulfillments.every((f) => ['delivered', 'cancelled'].includes(f.status)) && o.money.owedMinor === 0, 'delivery')
}
/** Delivered, at 5,000 each and 490 for shipping. */
async function delivered({ units = 1, ...wish }: OrderWish & { units?: number } = {}): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 5_000 }], ...wish })
  await arrives(orderId)
  return orderId
}

interface Ask {
  collectOld?: string
  paymentMethod?: string
}
const ask = <Body = ReturnView>(orderId: string, lines: object[], { collectOld = 'store', ...more }: Ask = {}, query = ''): Promise<Answer<Body & { code: string }>> =>
  people.shop<Body & { code: string }>('POST', `/v1/orders/${orderId}/replacements${query}`, { lines: lines.map((l) => ({ lineId: '1', quantity: 1, reason: 'too big', ...l })), collectOld, ...more })
const receive = (returnId: string, lines: object[] = [{}]): Promise<Answer<ReturnView>> =>
  people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: lines.map((l) => ({ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock', ...l })) })
const sendBack = async (orderId: string, lineId: string, quantity = 1): Promise<void> => {
  const { body } = await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId, quantity, reason: 'not that either' }], method: 'store' })
  expect((await receive(body.returnId, [{ lineId, quantity }])).status).toBe(200)
}
const refunded = (orderId: string, amountMinor: number): Promise<OrderView> => people.until(orderId, (o) => o.money.refundedMinor === amountMinor && o.money.owedMinor === 0, `${amountMinor} to be given back`)
const bank = (fault: object): Promise<unknown> => fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, operation: 'authorize', ...fault }) })
const account = async (orderId: string, name: string): Promise<number> =>
  (await people.support<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body.entries.reduce((sum, e) => (e.account === name ? sum + e.amountMinor : sum), 0)

it('holds what the new goods cost more before anything is changed, and takes it when they leave', async () => {
  const orderId = await delivered()
  const sku = await people.stocked({ 'dc-01': 1 })
  const line = { sku, unitPriceMinor: 6_200 }
  const preview = await ask<object>(orderId, [line], { collectOld: 'none' }, '?preview=true')
  expect(preview.body).toMatchObject({ money: { chargeMinor: 1_200, charge: { goodsMinor: 1_200, taxMinor: 0 }, refundMinor: 0, lines: [{ paidMinor: 5_000, deltaMinor: 1_200 }] } })
  expect((await people.order(orderId)).payments).toHaveLength(1)
  expect(await ask(orderId, [line], { collectOld: 'none' })).toMatchObject({ status: 201, body: { remedy: 'replacement' } })
  expect(await people.order(orderId)).toMatchObject({ totalMinor: 6_690, lines: [{}, { lineId: 'r1-1', sku, replaces: '1', unitPriceMinor: 1_200 }], payments: [{ capturedMinor: 5_490 }, { tenderId: 't1+x1', status: 'authorized', authorizedMinor: 1_200 }] })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: 'r1-1', quantity: 2 }] })).toMatchObject({ status: 409, body: { code: 'order.replacement_not_raised', lineId: 'r1-1' } })
  expect(await arrives(orderId)).toMatchObject({ paymentStatus: 'captured', money: { capturedMinor: 6_690, owedMinor: 0 } })
  expect(await account(orderId, 'revenue')).toBe(-6_200)
  const version = await people.support<{ document: object }>('GET', `/v1/orders/${orderId}/versions/2`)
  expect(version.body).toMatchObject({ document: { totalMinor: 6_690 } })
  await sendBack(orderId, 'r1-1')
  expect(await refunded(orderId, 6_690)).toMatchObject({ paymentStatus: 'refunded', lines: [{ credited: 1 }, { credited: 1, returned: 1 }] })
})

it('leaves all as it was where the bank says no, and takes another card', async () => {
  const orderId = await delivered()
  const line = { sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 6_000 }
  const before = await people.order(orderId)
  await bank({ kind: 'decline' })
  expect(await ask(orderId, [line])).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
  const after = await people.order(orderId)
  expect({ ...after, payments: after.payments.slice(0, 1) }).toMatchObject({ totalMinor: 5_490, lines: before.lines, returns: [], payments: before.payments, money: { owedMinor: 0 } })
  expect(await people.told(orderId)).toContain('replacement.failed')
  const again = await ask(orderId, [line], { paymentMethod: 'pm_card_mastercard' })
  expect(again).toMatchObject({ status: 201, body: { status: 'approved' } })
  await receive(again.body.returnId)
  expect(await arrives(orderId)).toMatchObject({ money: { capturedMinor: 6_490, refundedMinor: 0 } })
})

it('lets go of what its customer says yes to, in a page left open, when the exchange has been refused', async () => {
  const orderId = await delivered()
  await bank({ kind: 'decline' })
  expect(await ask(orderId, [{ sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 6_000 }])).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
  const declined = (await intentsOf(system, orderId)).find((i) => i.status === 'requires_payment_method')!
  const confirmed = await fetch(`${system.payments.url}/v1/payment_intents/${declined.id}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.workerEnv.STRIPE_API_KEY}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'payment_method=pm_card_visa',
  })
  expect(await confirmed.json()).toMatchObject({ status: 'requires_capture' })
  await eventually(() => intentsOf(system, orderId), (all) => all.find((i) => i.id === declined.id)!.status === 'canceled', { what: 'the hold to be let go' })
  expect(await people.until(orderId, (o) => o.payments[1]!.status === 'voided', 'word of it')).toMatchObject({ totalMinor: 5_490, returns: [], money: { capturedMinor: 5_490, owedMinor: 0 } })
})

it('takes nothing of a debit, which nobody can hold: it needs a card, and the order stays as it was', async () => {
  const orderId = await delivered({ paymentMethod: 'pm_usBankAccount_success' })
  const line = { sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 5_500 }
  expect(await ask(orderId, [line])).toMatchObject({ status: 409, body: { code: 'exchange.not_payable', amountMinor: 500 } })
  expect(await ask(orderId, [line], { paymentMethod: 'pm_usBankAccount_success' })).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
  expect(await people.order(orderId)).toMatchObject({ totalMinor: 5_490, returns: [], money: { capturedMinor: 5_490, owedMinor: 0 } })
  expect((await intentsOf(system, orderId)).map((i) => i.capturedMinor)).toEqual([5_490, 0])
  expect(await ask(orderId, [line], { paymentMethod: 'pm_card_visa' })).toMatchObject({ status: 201, body: { status: 'approved' } })
})

it('gives back what somebody took of it while it was only to be held, and refuses the exchange', async () => {
  const orderId = await delivered()
  const line = { sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 5_500 }
  await steer(system.payments.url, '/control/silences', { about: `web ${(await people.order(orderId)).channelOrderId}`, copies: 0 })
  await bank({ kind: 'timeout_after_effect', delayMs: 300 })
  const asked = ask(orderId, [line])
  const held = (await eventually(() => intentsOf(system, orderId), (all) => all.some((i) => i.status === 'requires_capture'), { what: 'the hold' })).find((i) => i.status === 'requires_capture')!
  const taken = await fetch(`${system.payments.url}/v1/payment_intents/${held.id}/capture`, { method: 'POST', headers: { authorization: `Bearer ${system.workerEnv.STRIPE_API_KEY}` } })
  expect(taken.status).toBe(200)
  expect(await asked).toMatchObject({ status: 409, body: { code: 'payment.not_settled' } })
  await eventually(() => intentsOf(system, orderId), (all) => all.find((i) => i.id === held.id)!.refundedMinor === 500, { what: 'the money to go back' })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 500, 'the refund')).toMatchObject({ totalMinor: 5_490, returns: [] })
})

it('holds it once where the bank’s answer is lost, and lets it go when the old goods never come', async () => {
  const orderId = await delivered()
  await bank({ kind: 'timeout_after_effect', delayMs: 300 })
  const asked = await ask(orderId, [{ sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 5_300 }], { collectOld: 'mail' })
  expect(asked.status).toBe(201)
  expect((await people.order(orderId)).payments[1]).toMatchObject({ status: 'authorized', authorizedMinor: 300 })
  await people.shop('POST', `/v1/returns/${asked.body.returnId}/cancel`, {})
  expect(await people.until(orderId, (o) => o.payments[1]!.status === 'voided', 'the hold to be let go')).toMatchObject({ totalMinor: 5_490, lines: [{ lineId: '1' }], returns: [{ status: 'cancelled' }] })
})

it('gives back what the new goods cost less once the old ones are counted, all of them, and the rest when they come back too', async () => {
  const orderId = await delivered({ units: 3 })
  const sku = await people.stocked({ 'dc-01': 3 })
  const three = { quantity: 3, sku, unitPriceMinor: 4_667 }
  expect((await ask<object>(orderId, [three], {}, '?preview=true')).body).toMatchObject({ money: { chargeMinor: 0, refundMinor: 999, refundOn: 'receipt' } })
  const { body } = await ask(orderId, [three])
  await receive(body.returnId)
  expect(await people.order(orderId)).toMatchObject({ lines: [{ returned: 1 }], money: { refundedMinor: 0 } })
  await receive(body.returnId, [{ quantity: 2 }])
  await refunded(orderId, 999)
  expect((await people.support<ReturnView>('GET', `/v1/returns/${body.returnId}`)).body.refunds).toMatchObject([{ amountMinor: 999 }])
  await arrives(orderId)
  await sendBack(orderId, 'r1-1', 2)
  await refunded(orderId, 999 + 2 * 4_667)
  await sendBack(orderId, 'r1-1', 1)
  expect(await refunded(orderId, 15_490)).toMatchObject({ paymentStatus: 'refunded' })
  expect(await account(orderId, 'receivable')).toBe(0)
})

it('lets a replacement be cancelled before it leaves, and pays for the old goods when they are back', async () => {
  const orderId = await delivered({ units: 2 })
  const sku = await people.stocked({ 'dc-01': 2 })
  const { body } = await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 2, reason: 'too big', sku, unitPriceMinor: 5_500 }], collectOld: 'store', send: 'now' })
  await receive(body.returnId)
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 2 }], reason: 'no more wanted' })
  expect(await refunded(orderId, 5_000)).toMatchObject({ lines: [{ credited: 1 }, { cancelled: 2 }] })
  await people.until(orderId, (o) => o.payments[1]!.status === 'voided', 'the difference to be let go')
  await receive(body.returnId)
  expect(await refunded(orderId, 10_490)).toMatchObject({ money: { capturedMinor: 10_490 }, lines: [{ credited: 2 }, {}] })
})

it('gives back what was taken for a replacement that is lost, and for the old goods once they are back', async () => {
  const orderId = await delivered()
  const sku = await people.stocked({ 'dc-01': 1 })
  const { body } = await ask(orderId, [{ sku, unitPriceMinor: 5_900 }])
  await receive(body.returnId)
  await people.carrierSays(await sendOff(orderId), 'lost')
  expect(await refunded(orderId, 6_390)).toMatchObject({ money: { capturedMinor: 6_390 }, lines: [{ credited: 1 }, { cancelled: 1 }] })
})

it('exchanges what was exchanged: dearer, then cheaper, and gives back exactly what was paid in the end', async () => {
  const orderId = await delivered()
  const [better, plain] = [await people.stocked({ 'dc-01': 1 }), await people.stocked({ 'dc-01': 1 })]
  const first = await ask(orderId, [{ sku: better, unitPriceMinor: 7_000 }])
  await receive(first.body.returnId)
  await arrives(orderId)
  const second = await ask(orderId, [{ lineId: 'r1-1', sku: plain, unitPriceMinor: 4_000 }])
  await receive(second.body.returnId, [{ lineId: 'r1-1' }])
  await refunded(orderId, 3_000)
  expect(await arrives(orderId)).toMatchObject({ money: { capturedMinor: 7_490, refundedMinor: 3_000, owedMinor: 0 }, lines: [{}, { unitPriceMinor: 2_000 }, { sku: plain, unitPriceMinor: 0, replaces: '1' }] })
  await sendBack(orderId, 'r2-1')
  await refunded(orderId, 7_490)
})

it('charges a card for what a channel was paid for, also where some of that was cancelled before', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 5_000 }], paidElsewhere: true })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  await people.until(orderId, (o) => o.lines[0]!.cancelled === 1)
  await arrives(orderId)
  const line = { sku: await people.stocked({ 'dc-01': 1 }), unitPriceMinor: 5_200 }
  expect((await ask(orderId, [line], { collectOld: 'none' })).body).toMatchObject({ code: 'exchange.not_payable', amountMinor: 200 })
  expect((await ask(orderId, [line], { collectOld: 'none', paymentMethod: 'pm_card_visa' })).status).toBe(201)
  await arrives(orderId)
  expect((await people.order(orderId)).payments[1]).toMatchObject({ provider: 'stripe', capturedMinor: 200 })
})

it('refuses a price without a thing, and holds nothing for what cannot be had', async () => {
  const orderId = await delivered()
  expect((await ask(orderId, [{ unitPriceMinor: 9_000 }])).body).toMatchObject({ code: 'request.invalid', errors: [{ pointer: '/lines/0/unitPriceMinor' }] })
  expect((await ask(orderId, [{ sku: 'SOCKS-3P', unitPriceMinor: 0 }])).body).toMatchObject({ code: 'request.invalid' })
  expect((await ask(orderId, [{ sku: 'NEVER-HEARD-OF', unitPriceMinor: 9_000 }])).body).toMatchObject({ code: 'sku.unknown' })
  expect((await ask(orderId, [{ quantity: 2, sku: 'SOCKS-3P', unitPriceMinor: 9_000 }])).body).toMatchObject({ code: 'return.quantity' })
  expect((await people.order(orderId)).payments).toHaveLength(1)
  await eventually(() => people.told(orderId), (told) => !told.includes('replacement.requested'))
})
