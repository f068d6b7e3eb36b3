/** A customer on the phone is sent a link, pays at it, and her draft is an order: once, whatever the provider, the people and the processes do meanwhile. */
import { rows } from '../../db/connection'
import type { DraftView } from '../../db/views/drafts'
import { byCard, placeIt, readDraft, writeDraft, type DraftAnswer, type DraftWish } from '../support/drafts'
import { expectInvariants } from '../support/invariants'
import { eventually, orderOf, peopleOf, type Call, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let support: Call
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
  support = people.support
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()
const askLink = (draftId: string, more: object = {}): Promise<DraftAnswer> => support('POST', `/v1/drafts/${draftId}/payment-link`, { expiresAt: inMs(3_600_000), returnTo: 'https://shop.example/thanks', ...more })
const until = (draftId: string, enough: (draft: DraftView) => boolean): Promise<DraftView> => eventually(() => readDraft(support, draftId), enough, { what: `draft ${draftId}` })
const control = async (path: string, body?: object): Promise<Record<string, unknown>> =>
  (await fetch(`${system.payments.url}/control/${path}`, body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {})).json() as Promise<Record<string, unknown>>
interface Session {
  id: string
  status: string
  intentMetadata: { orderId: string }
}
const sessionsOf = async ({ paymentLink }: DraftView): Promise<Session[]> => (await control(`sessions?clientReferenceId=${paymentLink!.linkId}`)).sessions as Session[]
const pay = (url: string, paymentMethod = 'pm_card_visa'): Promise<Response> => fetch(url, { method: 'POST', body: new URLSearchParams({ paymentMethod }) })
const cancel = (draftId: string): Promise<DraftAnswer> => support('POST', `/v1/drafts/${draftId}/cancel-payment`, {})
const ordersOf = (channelOrderId: string): Promise<object[]> => rows(system.db, 'SELECT order_id FROM orders WHERE channel_order_id = ?', [channelOrderId])

/** A draft with a link at which she can pay. */
async function linked(wish: DraftWish, more: object = {}): Promise<DraftView & { url: string }> {
  const { draftId } = await writeDraft(support, wish)
  const asked = await askLink(draftId, more)
  expect(asked).toMatchObject({ status: 200, body: { state: 'awaiting_payment', paymentLink: { status: 'intended', url: null } } })
  const draft = await until(draftId, (d) => d.paymentLink?.status === 'open')
  return { ...draft, url: draft.paymentLink!.url! }
}

it('becomes an order when she has paid, with the very money that she paid', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId, url, channelOrderId } = await linked({ sku })
  expect(await placeIt(support, draftId, byCard(2_490))).toMatchObject({ status: 409, body: { code: 'draft.state', state: 'awaiting_payment', allowedActions: ['cancel-payment', 'copy'] } })
  expect(await askLink(draftId)).toMatchObject({ status: 409, body: { code: 'draft.state' } })
  expect((await pay(url, 'pm_card_chargeDeclined')).status).toBe(402)
  expect((await pay(url)).status).toBe(200)
  const { orderId, paymentLink } = await until(draftId, (d) => d.state === 'placed')
  expect(paymentLink).toMatchObject({ status: 'placed', url: null })
  const order = await people.until(orderId!, (o) => o.fulfillments.length === 1)
  expect(order).toMatchObject({ draftId, channelOrderId, paymentStatus: 'authorized', payments: [{ tenderId: 'link', status: 'authorized', authorizedMinor: 2_490 }] })
  expect((await control(`books?orderRef=${orderId}`)).intents).toMatchObject([{ id: order.payments[0]!.reference, authorizedMinor: 2_490, capturedMinor: 0 }])
  await people.pickAll(order.fulfillments[0]!)
  await people.packAll(order.fulfillments[0]!)
  await people.until(orderId!, (o) => o.shipments[0]?.trackingNumber != null)
  await people.handOver(order.fulfillments[0]!)
  await people.until(orderId!, (o) => o.money.capturedMinor === 2_490)
})

it('is one order though its messages come twice, out of order, or not at all', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  await control('webhooks', { duplicate: true, shuffle: true })
  const twice = await linked({ sku })
  await pay(twice.url)
  await until(twice.draftId, (d) => d.state === 'placed')
  await control('webhooks', {})
  const silent = await linked({ sku })
  await control('silences', { about: silent.paymentLink!.linkId, copies: 0 })
  await pay(silent.url)
  await until(silent.draftId, (d) => d.state === 'placed')
  for (const { channelOrderId } of [twice, silent]) expect(await ordersOf(channelOrderId)).toHaveLength(1)
})

it('is paid once when she pays at the moment at which support cancels, places and asks anew', async () => {
  const sku = await people.stocked({ 'store-mitte': 5 })
  const { draftId, url, channelOrderId } = await linked({ sku })
  const [paid] = await Promise.all([pay(url), cancel(draftId), placeIt(support, draftId, byCard(2_490)), askLink(draftId), cancel(draftId)])
  const settled = await until(draftId, (d) => d.state !== 'awaiting_payment')
  if (paid.status === 200) {
    expect(settled.state).toBe('placed')
    expect(await ordersOf(channelOrderId)).toHaveLength(1)
    expect((await control(`books?orderRef=${settled.orderId}`)).intents).toHaveLength(1)
  } else expect(settled.state).toBe('open')
})

it('can be cancelled and made anew: nobody pays at the old one any more', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const first = await linked({ sku })
  expect((await cancel(first.draftId)).body.paymentLink?.status).toBe('ending')
  expect(await until(first.draftId, (d) => d.state === 'open')).toMatchObject({ paymentLink: { status: 'cancelled', url: null }, payBy: null })
  expect((await pay(first.url)).status).toBe(400)
  const second: DraftAnswer = await support('POST', `/v1/drafts/${first.draftId}/payment-link`, { expiresAt: inMs(3_600_000), returnTo: 'https://shop.example/thanks' }, { prefer: 'wait=10' })
  expect(second.body.paymentLink).toMatchObject({ status: 'open', url: expect.stringContaining('/pay/') })
  expect(second.body.paymentLink!.url).not.toBe(first.url)
  await pay(second.body.paymentLink!.url!)
  await until(first.draftId, (d) => d.state === 'placed')
})

it('ends with its time: it can be worked on again, or is thrown away with what was kept for it', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const [again, gone] = [await linked({ sku }), await linked({ sku }, { atPayBy: 'discard' })]
  for (const draft of [again, gone]) await control(`sessions/${(await sessionsOf(draft))[0]!.id}/pass-time`, {})
  expect(await until(again.draftId, (d) => d.state === 'open')).toMatchObject({ paymentLink: { status: 'expired' } })
  expect(await until(gone.draftId, (d) => d.state === 'discarded')).toMatchObject({ endReason: expect.stringMatching(/^not paid by/) })
  expect((await pay(again.url)).status).toBe(400)
})

it('is one link though its answers get lost, and one payment though the process dies between the money and the order', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  for (const kind of ['timeout_after_effect', 'error_500', 'unheard']) {
    await control('faults', { next: 1, kind, operation: 'open' })
    const draft = await linked({ sku })
    expect(await sessionsOf(draft)).toHaveLength(1)
    await cancel(draft.draftId)
    await until(draft.draftId, (d) => d.state === 'open')
  }
  const { draftId, url, channelOrderId } = await linked({ sku })
  const lock = await system.db.transaction()
  await lock.raw('SELECT 1 FROM drafts WHERE draft_id = ? FOR UPDATE', [draftId])
  await pay(url)
  const killed = (): Promise<object[]> => rows(system.db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM drafts%FOR UPDATE%'`)
  await eventually(killed, (found) => found.length > 0, { what: 'the paid draft to be placed' })
  await lock.rollback()
  const { orderId } = await until(draftId, (d) => d.state === 'placed')
  expect(await ordersOf(channelOrderId)).toHaveLength(1)
  await people.until(orderId!, (o) => o.paymentStatus === 'authorized')
})

it('is an order when she has paid, though its stock has gone to somebody else and its number too', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId, url, channelOrderId, number } = await linked({ sku })
  await people.shop('POST', '/v1/orders', orderOf({ channelOrderId, lines: [{ sku, quantity: 1 }] }))
  await system.db.raw(`UPDATE drafts SET number = number + ? WHERE draft_id = ?`, [Number(BigInt.asUintN(40, BigInt(`0x${draftId.replaceAll('-', '').slice(-12)}`))), draftId])
  await pay(url)
  const { orderId } = await until(draftId, (d) => d.state === 'placed')
  const order = await people.until(orderId!, (o) => o.status === 'backordered')
  expect(order.paymentStatus).toBe('authorized')
  expect(order.channelOrderId).not.toBe(channelOrderId)
  expect(order.channelOrderId).not.toBe(number)
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta: 1, reason: 'found' })
  await people.until(orderId!, (o) => o.fulfillments.length === 1)
})

it('takes what a bank debits days later, as any order does', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId, url } = await linked({ sku })
  await control('pace', { settleMs: 300 })
  expect((await pay(url, 'pm_usBankAccount_success')).status).toBe(200)
  const { orderId } = await until(draftId, (d) => d.state === 'placed')
  expect(await people.until(orderId!, (o) => o.fulfillments.length === 1)).toMatchObject({ payments: [{ status: 'captured', takenAtOnce: true }] })
})

it('waits for money that comes another way, until it has come, is not wanted any more, or its time is over', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const later = async (payBy: string, atPayBy: string): Promise<string> => {
    const { draftId } = await writeDraft(support, { sku })
    expect(await support('POST', `/v1/drafts/${draftId}/pay-later`, { payBy, atPayBy })).toMatchObject({ status: 200, body: { state: 'awaiting_payment', payBy, allowedActions: ['paid', 'cancel-payment', 'copy'] } })
    return draftId
  }
  const [paid, unwanted] = [await later(inMs(3_600_000), 'discard'), await later(inMs(3_600_000), 'discard')]
  const both = await Promise.all([1, 2].map(() => support<{ orderId: string }>('POST', `/v1/drafts/${paid}/paid`, { reference: 'statement 42' })))
  expect(both.map((a) => a.status).sort()).toEqual([200, 201])
  expect(await people.until(both[0]!.body.orderId, (o) => o.fulfillments.length === 1)).toMatchObject({ payments: [{ tenderId: 'later', provider: 'paid_elsewhere', capturedMinor: 2_490 }] })
  expect((await cancel(unwanted)).body).toMatchObject({ state: 'open', payBy: null })
  const [again, gone] = [await later(inMs(700), 'reopen'), await later(inMs(700), 'discard')]
  await until(again, (d) => d.state === 'open')
  await until(gone, (d) => d.state === 'discarded')
  expect(await support('POST', `/v1/drafts/${gone}/paid`, { reference: 'too late' })).toMatchObject({ status: 409, body: { code: 'draft.state', state: 'discarded' } })
})

it('forgets a customer who asked for it while her draft waited, once that has come to its end', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const customer = { customerRef: `c-${sku}`, name: 'Forgotten Person', email: 'forgotten@example.com' }
  const { draftId, paymentLink } = await linked({ sku, more: { customer } })
  await support('POST', `/v1/customers/${customer.customerRef}/erase`, {})
  expect((await readDraft(support, draftId)).document).toMatchObject({ customer: { name: 'Forgotten Person' } })
  await control(`sessions/${((await control(`sessions?clientReferenceId=${paymentLink!.linkId}`)).sessions as Session[])[0]!.id}/pass-time`, {})
  expect((await until(draftId, (d) => d.state === 'discarded')).document).not.toHaveProperty('customer')
  const left = await rows<{ words: string }>(system.db, `SELECT (SELECT string_agg(document::text, ' ') FROM drafts) || (SELECT string_agg(answer::text, ' ') FROM idempotency_keys) AS words`)
  expect(left[0]!.words).not.toMatch(/Forgotten Person|forgotten@/)
})

it('says why the provider gives no link, and can be paid otherwise', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId } = await writeDraft(support, { sku })
  await control('outage', { ms: 1_000 })
  await askLink(draftId)
  await until(draftId, (d) => d.paymentLink!.lastError !== null)
  // It was away for so long that what was asked for is no longer given.
  await system.db.raw(`UPDATE draft_links SET expires_at = now() + interval '10 minutes' WHERE draft_id = ?`, [draftId])
  const refused = await until(draftId, (d) => d.state === 'open')
  expect(refused.paymentLink).toMatchObject({ status: 'refused', lastError: expect.stringContaining('30 minutes') })
  expect((await placeIt(support, draftId, byCard(2_490))).status).toBe(201)
})

it('is refused a link that the provider would not give, or that outlives its quote', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId } = await writeDraft(support, { sku })
  expect(await askLink(draftId, { expiresAt: inMs(60_000) })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/expiresAt' }] } })
  expect(await askLink(draftId, { returnTo: undefined })).toMatchObject({ status: 409, body: { code: 'channel.no_order_page' } })
  const free = await writeDraft(support, { sku, unitPriceMinor: 0, more: { shipping: { priceMinor: 0 } } })
  expect(await askLink(free.draftId)).toMatchObject({ status: 409, body: { code: 'draft.nothing_to_pay' } })
})
