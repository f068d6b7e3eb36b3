/** A draft is quoted: prices and a date hold until a time, and the stock with them where it is kept. */
import { rows } from '../../db/connection'
import { byCard, draftOf, patchDraft, placeIt, readDraft, writeDraft, type DraftAnswer } from '../support/drafts'
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
const quoteIt = (draftId: string, more: object = {}): Promise<DraftAnswer> => support('POST', `/v1/drafts/${draftId}/quote`, { validUntil: inMs(3_600_000), ...more })
/** The promise desk looks at shelves once a second. */
const quoted = (draftId: string, more: object = {}): Promise<DraftAnswer> => eventually(() => quoteIt(draftId, more), (a) => a.body.code !== 'stock.short', { what: 'the desk to know the shelf' })
const reserved = async (sku: string): Promise<number> => (await rows<{ reserved: number }>(system.db, 'SELECT sum(reserved)::int AS reserved FROM stock_levels WHERE sku = ?', [sku]))[0]!.reserved
/** Time passes for a quote, and for what it holds. */
const passTime = async (draftId: string): Promise<void> => {
  await system.db.raw(`UPDATE reservations SET expires_at = now() - interval '1 second' WHERE quote_id = (SELECT (quote->>'quoteId')::uuid FROM drafts WHERE draft_id = ?)`, [draftId])
  await system.db.raw(`UPDATE drafts SET valid_until = now() - interval '1 second', quote = jsonb_set(quote, '{reservation,expiresAt}', '"2026-01-01T00:00:00.000Z"') WHERE draft_id = ?`, [draftId])
}

it('freezes what it costs and when it comes, keeps the last unit for her, and is taken up by the order', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const draft = await writeDraft(support, { sku, more: { shipping: { taxBasisPoints: 1_900 } } })
  expect(draft.totals.totalMinor).toBe(2_000)
  const { body, status } = await quoted(draft.draftId, { hold: true })
  expect({ status, body }).toMatchObject({ status: 200, body: { state: 'quoted', quote: { number: expect.stringMatching(/^Q-\d+$/), method: 'delivery', reservation: { reservationId: expect.any(String) } } } })
  const { priceMinor, promisedBy } = body.quote!
  expect(priceMinor).toBeGreaterThan(0)
  expect(body.totals).toMatchObject({ totalMinor: 2_000 + priceMinor, shipping: { priceMinor, taxMinor: Math.round((priceMinor * 19) / 119) } })
  expect(await reserved(sku)).toBe(1)
  expect(await people.shop('POST', '/v1/orders', orderOf({ lines: [{ sku, quantity: 1 }] }))).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  const placed = await placeIt(support, draft.draftId, byCard(2_000 + priceMinor))
  expect(placed.status).toBe(201)
  const order = await people.until(placed.body.orderId, (o) => o.fulfillments.length === 1)
  expect(order).toMatchObject({ promise: { promisedBy }, shipping: { priceMinor } })
  expect(await reserved(sku)).toBe(0)
})

it('holds as long as what it is about stays the same; anything else gives the stock back', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const { draftId } = await writeDraft(support, { sku })
  const first = (await quoted(draftId, { hold: true })).body
  const noted = await patchDraft(support, first, { note: 'asks her husband' })
  expect(noted).toMatchObject({ status: 200, body: { state: 'quoted', quote: { number: first.quote!.number }, totals: { totalMinor: 2_490 } } })
  const changed = await patchDraft(support, noted.body, { lines: [{ lineId: '1', sku, quantity: 2, unitPriceMinor: 2_000 }] })
  expect(changed).toMatchObject({ status: 200, body: { state: 'open', quote: null } })
  expect(await reserved(sku)).toBe(0)
  await quoted(draftId, { hold: true })
  expect(await reserved(sku)).toBe(2)
  expect((await support('POST', `/v1/drafts/${draftId}/discard`, { reason: 'too dear' })).status).toBe(200)
  expect(await reserved(sku)).toBe(0)
})

it('is refused once its time is over, and quoted anew while its stock is there', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId } = await writeDraft(support, { sku })
  const first = (await quoted(draftId, { hold: true })).body.quote!
  await passTime(draftId)
  expect(await readDraft(support, draftId)).toMatchObject({ state: 'quote_expired', allowedActions: ['quote', 'copy', 'discard'] })
  expect(await placeIt(support, draftId, byCard(2_490))).toMatchObject({ status: 409, body: { code: 'draft.quote_expired', number: first.number } })
  const again = await quoted(draftId, { hold: true })
  expect(again.body.quote!.number).not.toBe(first.number)
  expect(await reserved(sku)).toBe(1)
  // And once more while it is kept: the same goods, under another number.
  const renewed = await quoteIt(draftId, { hold: true })
  expect(renewed.status).toBe(200)
  expect(await reserved(sku)).toBe(1)
  expect((await placeIt(support, draftId, byCard(2_490))).status).toBe(201)
})

it('says what is gone and what can be had instead when nobody kept the stock', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId } = await writeDraft(support, { sku })
  expect((await quoted(draftId)).status).toBe(200)
  await people.place({ lines: [{ sku, quantity: 1 }] })
  expect(await placeIt(support, draftId, byCard(2_490))).toMatchObject({ status: 409, body: { code: 'quote.gone', instead: { options: expect.any(Array) } } })
  expect(await readDraft(support, draftId)).toMatchObject({ state: 'quoted', orderId: null })
})

it('promises what is fetched at a store too, and says what could be had where nothing fits', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const { shipTo: _, ...pickup } = draftOf({ sku, more: { delivery: { method: 'pickup', nodeId: 'store-mitte' }, shipping: undefined } })
  const { body } = await support<{ draftId: string }>('POST', '/v1/drafts', pickup)
  expect(await quoted(body.draftId, { hold: true })).toMatchObject({ status: 200, body: { quote: { method: 'pickup', nodeId: 'store-mitte' } } })
  const { draftId } = await writeDraft(support, { sku, more: { delivery: { method: 'delivery', service: 'by_balloon' } } })
  expect(await quoted(draftId)).toMatchObject({ status: 409, body: { code: 'draft.no_option' } })
  expect(await support('POST', `/v1/drafts/${draftId}/quote`, { validUntil: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 400 })
})
