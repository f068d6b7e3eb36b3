/** An order is written down on the phone, bit by bit, and becomes an order once. */
import { rows } from '../../db/connection'
import { byCard, draftOf, patchDraft, placeIt, readDraft, writeDraft, type DraftAnswer, type Placed } from '../support/drafts'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, nextOrderNumber, peopleOf, type Call, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

/** Another price than the usual one needs another person's yes. */
const otherPrice = { name: 'other price', type: 'approval', reason: 'another price', when: { flags: ['price_override'] }, blocks: ['picking'], owner: 'support', approvals: 1 } as const

let system: System
let people: People
let support: Call
beforeAll(async () => {
  system = await startSystem({ policies: { holds: { rules: [otherPrice] } } })
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

const ordersOf = (channelOrderId: string): Promise<{ orderId: string }[]> => rows(system.db, 'SELECT order_id AS "orderId" FROM orders WHERE channel_order_id = ?', [channelOrderId])

it('is written down bit by bit, says what it lacks, and becomes an order that goes its way', async () => {
  const sku = await people.stocked({ 'store-mitte': 5 })
  const channelOrderId = nextOrderNumber()
  const begun: DraftAnswer = await support('POST', '/v1/drafts', { channel: 'web', channelOrderId, lines: [{ lineId: '1', sku, quantity: 2, unitPriceMinor: 2_000, override: { unitPriceMinor: 1_800, reason: 'as in the leaflet' } }], note: 'calls again at four', flags: ['phone'] })
  expect(begun).toMatchObject({ status: 201, body: { state: 'open', version: 1, currency: 'EUR', totals: { totalMinor: 3_600 }, allowedActions: ['copy', 'discard'] } })
  expect(begun.body.missing.map((m) => m.pointer)).toEqual(['/delivery', '/customer'])
  const { draftId } = begun.body
  expect(await placeIt(support, draftId, byCard(3_600))).toMatchObject({ status: 409, body: { code: 'draft.incomplete', errors: [{ pointer: '/delivery' }, { pointer: '/customer' }] } })
  const { customer, shipTo, delivery } = draftOf({ sku })
  const completed = await patchDraft(support, begun.body, { customer, shipTo, delivery, discount: { basisPoints: 1_000, reason: 'regular' }, shipping: { priceMinor: 490 } })
  expect(completed).toMatchObject({ status: 200, body: { version: 2, missing: [], totals: { discountMinor: 360, totalMinor: 3_730 } } })
  expect(await placeIt(support, draftId, byCard(3_600))).toMatchObject({ status: 400, body: { code: 'order.totals' } })
  const placed = await placeIt(support, draftId, byCard(3_730))
  expect(placed).toMatchObject({ status: 201, body: { draftId, channelOrderId, totalMinor: 3_730 } })
  const { holds } = await people.order(placed.body.orderId)
  const release = `/v1/orders/${placed.body.orderId}/holds/${holds[0]!.holdId}/release`
  expect(await support('POST', release, {})).toMatchObject({ status: 409, body: { code: 'hold.four_eyes' } })
  expect((await caller(system.url, 'demo-admin')('POST', release, {})).status).toBe(200)
  const order = await people.until(placed.body.orderId, (o) => o.fulfillments.length === 1)
  expect(order).toMatchObject({ draftId, channel: 'web', flags: ['phone', 'price_override'], paymentStatus: 'authorized', lines: [{ unitPriceMinor: 1_800, discountMinor: 360 }] })
  expect(await readDraft(support, draftId)).toMatchObject({ state: 'placed', orderId: placed.body.orderId, allowedActions: ['copy'] })
  expect((await people.told(placed.body.orderId)).slice(0, 3)).toEqual(['order.placed', 'hold.placed', 'draft.placed'])
  const source = await support<{ items: { source: string; body: { note: string } }[] }>('GET', `/v1/orders/${placed.body.orderId}/source`)
  expect(source.body.items).toMatchObject([{ source: 'draft', eventId: draftId, body: { note: 'calls again at four' } }])
})

it('is changed only as it was read', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const draft = await writeDraft(support, { sku })
  expect(await support('PATCH', `/v1/drafts/${draft.draftId}`, { note: 'n' })).toMatchObject({ status: 428, body: { code: 'request.version_needed', version: 1 } })
  const both = await Promise.all([patchDraft(support, draft, { note: 'first' }), patchDraft(support, draft, { note: 'second' })])
  expect(both.map((a) => a.status).sort()).toEqual([200, 412])
  const { version } = await readDraft(support, draft.draftId)
  expect(await patchDraft(support, { ...draft, version }, { channel: 'pos' })).toMatchObject({ status: 400, body: { code: 'request.invalid' } })
  expect(await patchDraft(support, { ...draft, version }, { lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 100, discount: { amountMinor: 101 } }] })).toMatchObject({ status: 400, body: { code: 'order.totals', errors: [{ pointer: '/lines/0/discount/amountMinor' }] } })
  expect(await patchDraft(support, { ...draft, version }, { shipTo: null })).toMatchObject({ status: 200, body: { missing: [{ pointer: '/shipTo' }] } })
})

it('tells at once that her card was declined, and is written down again for another one', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const draft = await writeDraft(support, { sku, more: { note: 'in a hurry' } })
  const declined = await placeIt(support, draft.draftId, byCard(2_490, 'pm_card_chargeDeclined'), { prefer: 'wait=10' })
  expect(declined).toMatchObject({ status: 201, body: { draftId: draft.draftId, status: 'cancelled', paymentStatus: 'declined' } })
  const again: DraftAnswer = await support('POST', `/v1/drafts/${draft.draftId}/copy`, {})
  expect(again).toMatchObject({ status: 201, body: { state: 'open', orderId: null, document: { note: 'in a hurry' }, totals: { totalMinor: 2_490 } } })
  expect(again.body.number).not.toBe(draft.number)
  // Numbers of drafts begin anew in every database; workflows of all suites live together.
  const numbered = await patchDraft(support, again.body, { channelOrderId: nextOrderNumber() })
  await people.until(declined.body.orderId, (o) => !o.workflowOpen)
  expect(await placeIt(support, numbered.body.draftId, byCard(2_490), { prefer: 'wait=10' })).toMatchObject({ status: 201, body: { paymentStatus: 'authorized', status: 'in_fulfillment' } })
})

it('becomes one order, whoever says so at the same time', async () => {
  const sku = await people.stocked({ 'store-mitte': 5 })
  const { draftId, channelOrderId } = await writeDraft(support, { sku })
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => placeIt(i % 2 ? support : people.operations, draftId, byCard(2_490))))
  expect(answers.map((a) => a.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
  expect(new Set(answers.map((a) => a.body.orderId)).size).toBe(1)
  expect(await ordersOf(channelOrderId)).toEqual([{ orderId: answers[0]!.body.orderId }])
})

it('is as if nothing had been said when the process dies before it has committed, and an order when it is said again', async () => {
  const sku = await people.stocked({ 'store-mitte': 5 })
  const { draftId, channelOrderId } = await writeDraft(support, { sku })
  const key = { 'idempotency-key': `killed-${draftId}` }
  const lock = await system.db.transaction()
  await lock.raw('SELECT 1 FROM drafts WHERE draft_id = ? FOR UPDATE', [draftId])
  const cut = placeIt(support, draftId, byCard(2_490), key)
  // It waits for the draft with everything before it done; its connection dies there.
  const killed = (): Promise<{ gone: boolean }[]> => rows(system.db, `SELECT pg_terminate_backend(pid) AS gone FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM drafts%FOR UPDATE%'`)
  await eventually(killed, (found) => found.length > 0, { what: 'the place to wait for the draft' })
  expect((await cut).status).toBeGreaterThanOrEqual(500)
  await lock.rollback()
  expect(await ordersOf(channelOrderId)).toEqual([])
  expect(await readDraft(support, draftId)).toMatchObject({ state: 'open', orderId: null })
  const again = await placeIt(support, draftId, byCard(2_490), key)
  const repeated = await placeIt(support, draftId, byCard(2_490), key)
  expect([again.status, repeated.status, repeated.body.orderId]).toEqual([201, 201, again.body.orderId])
  expect(await ordersOf(channelOrderId)).toHaveLength(1)
})

it('stays a draft when the stock or the gift card does not suffice, and becomes an order with what does', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const draft = await writeDraft(support, { sku, quantity: 2 })
  expect(await placeIt(support, draft.draftId, byCard(4_490))).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  expect(await patchDraft(support, draft, { lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 2_000 }] })).toMatchObject({ status: 200 })
  const { code } = (await support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor: 1_000, paidElsewhere: true, reason: 'sold at the till' })).body
  const gift = (amountMinor: number): object[] => [{ tenderId: 'g', provider: 'gift_card', paymentMethod: code, amountMinor }, { tenderId: 'c', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 2_490 - amountMinor }]
  expect(await placeIt(support, draft.draftId, { tenders: gift(1_500) })).toMatchObject({ status: 409, body: { code: 'tender.declined' } })
  expect(await readDraft(support, draft.draftId)).toMatchObject({ state: 'open', version: 2 })
  const placed = await placeIt(support, draft.draftId, { tenders: gift(1_000) })
  expect(placed.status).toBe(201)
  await people.until(placed.body.orderId, (o) => o.paymentStatus === 'authorized')
})

it('is written by people and by channels that take calls, and seen by whoever reaches its channel', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  expect(await people.shop('POST', '/v1/drafts', draftOf({ sku }))).toMatchObject({ status: 409, body: { code: 'draft.not_offered', channel: 'web', kind: 'web' } })
  const { channelId: _, ...channel } = (await people.operations<Record<string, unknown>>('GET', '/v1/channels/web')).body
  await people.operations('PUT', '/v1/channels/calls', { ...channel, name: 'Call centre', kind: 'phone' })
  const { apiKey } = (await caller(system.url, 'demo-admin')<{ apiKey: string }>('POST', '/v1/api-keys', { name: 'calls', role: 'channel', channels: ['calls'] })).body
  const calls = caller(system.url, apiKey)
  const atThePhone = await writeDraft(calls, { sku, more: { channel: 'calls' } })
  const associate = people.store('store-mitte')
  const atTheCounter = await writeDraft(associate, { sku, more: { channel: 'pos', delivery: { method: 'pickup', nodeId: 'store-mitte' } } })
  expect(await associate('GET', `/v1/drafts/${atThePhone.draftId}`)).toMatchObject({ status: 404, body: { code: 'draft.unknown' } })
  const seen = await calls<{ items: { draftId: string }[] }>('GET', '/v1/drafts')
  expect(seen.body.items.map((d) => d.draftId)).toEqual([atThePhone.draftId])
  expect((await placeIt(associate, atTheCounter.draftId, byCard(2_490))).status).toBe(201)
  expect((await placeIt(calls, atThePhone.draftId, byCard(2_490))).status).toBe(201)
})

it('is sold on terms by people: the goods go first, and finance has a case until the money has come, or nothing is owed', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const dueAt = new Date(Date.now() + 30 * 86_400_000).toISOString()
  const onTerms = (by: Call, draftId: string): Promise<Placed> => by('POST', `/v1/drafts/${draftId}/place`, { onTerms: { dueAt } })
  const owed = async (orderId: string): Promise<object[]> => (await support<{ items: object[] }>('GET', `/v1/exceptions?kind=payment.due&orderId=${orderId}`)).body.items
  const atTheCounter = await writeDraft(support, { sku, more: { channel: 'pos' } })
  expect(await onTerms(people.store('store-mitte'), atTheCounter.draftId)).toMatchObject({ status: 403, body: { code: 'auth.role' } })
  const [sold, off] = [await onTerms(support, atTheCounter.draftId), await onTerms(support, (await writeDraft(support, { sku })).draftId)]
  expect(await owed(sold.body.orderId)).toMatchObject([{ owner: 'finance', deadline: dueAt, data: { amountMinor: 2_490, currency: 'EUR' } }])
  const { fulfillments } = await people.until(sold.body.orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(sold.body.orderId, (o) => !o.workflowOpen)
  expect(await owed(sold.body.orderId)).toHaveLength(1)
  await people.until(off.body.orderId, (o) => o.fulfillments.length === 1)
  await support('POST', `/v1/orders/${off.body.orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(off.body.orderId, (o) => !o.workflowOpen)
  expect(await owed(off.body.orderId)).toEqual([])
})

it('is listed by state in pages, thrown away with a reason, and becomes no order after that', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const made = [await writeDraft(support, { sku }), await writeDraft(support, { sku }), await writeDraft(support, { sku })]
  const gone = made[1]!
  expect(await support('POST', `/v1/drafts/${gone.draftId}/discard`, { reason: 'changed her mind' })).toMatchObject({ status: 200, body: { state: 'discarded', endReason: 'changed her mind', endedBy: 'support:demo-support' } })
  expect(await placeIt(support, gone.draftId, byCard(2_490))).toMatchObject({ status: 409, body: { code: 'draft.state', state: 'discarded' } })
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { body: { items: { draftId: string }[]; nextCursor: string | null } } = await support('GET', `/v1/drafts?state=open&limit=1${cursor && `&cursor=${cursor}`}`)
    found.push(...page.body.items.map((d) => d.draftId))
    cursor = page.body.nextCursor
  }
  expect(found.slice(0, 2)).toEqual([made[2]!.draftId, made[0]!.draftId])
})

it('forgets the customer with her orders, and what never became one at once', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const customer = { customerRef: `c-forgotten-${nextOrderNumber()}`, name: 'Forgotten Person', email: 'forgotten@example.com' }
  const said = { more: { customer, note: 'ring Forgotten Person twice' } }
  const kept = await writeDraft(support, { sku, ...said })
  const placed = await placeIt(support, (await writeDraft(support, { sku, ...said })).draftId, byCard(2_490))
  await people.until(placed.body.orderId, (o) => o.paymentStatus === 'authorized')
  await support('POST', `/v1/orders/${placed.body.orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(placed.body.orderId, (o) => !o.workflowOpen)
  expect((await support('POST', `/v1/customers/${customer.customerRef}/erase`, {})).status).toBeLessThan(300)
  const left = await rows<{ words: string }>(system.db, `SELECT (SELECT string_agg(document::text, ' ') FROM drafts) || (SELECT string_agg(answer::text, ' ') FROM idempotency_keys) || (SELECT coalesce(string_agg(body::text, ' '), '') FROM channel_documents) AS words`)
  expect(left[0]!.words).not.toMatch(/Forgotten Person|forgotten@/)
  expect(await readDraft(support, kept.draftId)).toMatchObject({ state: 'discarded', totals: { totalMinor: 2_490 } })
  // Without a number of her own she is found by the draft alone; what was kept for her is given back.
  const { customerRef: _, ...nobody } = customer
  const unnumbered = await writeDraft(support, { sku, more: { customer: nobody } })
  await eventually(() => support('POST', `/v1/drafts/${unnumbered.draftId}/quote`, { validUntil: new Date(Date.now() + 60_000).toISOString(), hold: true }), (a) => a.status === 200)
  expect(await support('POST', `/v1/drafts/${unnumbered.draftId}/erase`, {})).toMatchObject({ status: 200, body: { state: 'discarded' } })
  const still = await rows<{ words: string; reserved: number }>(system.db, `SELECT (SELECT string_agg(document::text, ' ') FROM drafts) || (SELECT string_agg(answer::text, ' ') FROM idempotency_keys) AS words, (SELECT sum(reserved)::int FROM stock_levels WHERE sku = ?) AS reserved`, [sku])
  expect(still[0]!.words).not.toMatch(/Forgotten Person|forgotten@/)
  expect(still[0]!.reserved).toBe(0)
})
