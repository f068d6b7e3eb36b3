/** Rules of sourcing and of promises that are for some channels: what is told before the click, what becomes of the order, and what of it stays when the channel changes. */
import { createQuotes } from '../../api/quotes'
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingDecision } from '../../domain/sourcing/decision'
import { rows } from '../../db/connection'
import type { DraftView } from '../../db/views/drafts'
import { byCard, placeIt, writeDraft } from '../support/drafts'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, nearMitte, orderOf, peopleOf, type Answer, type Call, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let market: Call
const careful = { name: 'careful', channelKinds: ['marketplace'], confidence: 0.95, extraHandling: 'P2D', prices: { standard: 690 }, holdLifetime: 'PT2H', quoteLifetime: 'PT2H' } as const
const policies = {
  sourcing: {
    maxShipments: 2,
    retryEvery: 'PT0.3S',
    channelRules: [
      { name: 'marketplaces from warehouses', channelKinds: ['marketplace'], fences: { excludeTypes: ['store'] } },
      { name: 'whole', channelFlags: ['whole'], maxShipments: 1 },
      { name: 'abroad', channelCurrencies: ['CHF'], channelTimeZones: ['Europe/Zurich'], channelClaims: ['later'], fences: { excludeNodes: ['store-mitte'] } },
    ],
  },
  promise: { channelRules: [careful] },
} as const
beforeAll(async () => {
  system = await startSystem({ policies })
  people = peopleOf(system)
  market = caller(system.url, 'demo-channel-marketplace')
  await people.operations('PUT', '/v1/channels/pos', { name: 'Store tills', kind: 'till', currency: 'EUR', timeZone: 'Europe/Berlin', flags: ['whole'] })
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Option {
  optionId: string
  method: string
  service: string
  priceMinor: number
  promisedBy: string
  confidence: number
}
interface Options {
  quoteId: string
  expiresAt: string
  options: Option[]
  unavailable: { sku: string; available: number }[]
}
const { name: _name, line1: _line1, city: _city, ...destination } = nearMitte
const look = async (call: Call, channel: string, skus: string[]): Promise<Options> =>
  (await call<Options>('POST', '/v1/delivery-options', { channel, destination, currency: 'EUR', lines: skus.map((sku) => ({ sku, quantity: 1 })) })).body
/** The desk looks at shelves and channels once a second. */
const optionsFor = (call: Call, channel: string, skus: string[], enough = (o: Options): boolean => o.options.length > 0): Promise<Options> => eventually(() => look(call, channel, skus), enough, { what: 'the desk to know the shelf' })
const sent = ({ options }: Options): Option => options.find((o) => o.method === 'delivery' && o.service === 'standard')!
/** From where an option was planned, as its token says. */
const plannedFrom = async ({ quoteId }: Options, { optionId }: Option): Promise<string[]> =>
  (await createQuotes('quote-secret-system').read(quoteId)).options.find((o) => o.optionId === optionId)!.shipments.map((s) => s.nodeId).sort()

const sourcedFrom = async (orderId: string): Promise<string[]> => (await people.until(orderId, (o) => o.fulfillments.length > 0)).fulfillments.map((f) => f.nodeId)
const decisions = async (orderId: string): Promise<SourcingDecision[]> => (await people.support<{ items: SourcingDecision[] }>('GET', `/v1/orders/${orderId}/sourcing`)).body.items
const buy = (sku: string, more: OrderWish = {}): OrderWish => ({ lines: [{ sku, quantity: 1 }], ...more })
const fromMarket = (sku: string, more: OrderWish = {}): OrderWish => buy(sku, { channel: 'marketplace', paidElsewhere: true, claim: 'required', ...more })
async function takeUp(call: Call, wish: OrderWish, { quoteId }: Options, { optionId, priceMinor }: Option): Promise<string> {
  const order = orderOf(wish)
  const totalMinor = order.totalMinor - 490 + priceMinor
  const placed = await call<{ orderId: string }>('POST', '/v1/orders', { ...order, delivery: { quoteId, optionId }, shipping: { priceMinor, taxMinor: 0 }, totalMinor, tenders: [{ ...(order.tenders as object[])[0], amountMinor: totalMinor }] })
  expect(placed).toMatchObject({ status: 201 })
  return placed.body.orderId
}

it('sends what a marketplace sold from the warehouse, and the same for the web shop from the store around the corner, as the promise said before', async () => {
  const sku = await people.stocked({ 'store-mitte': 3, 'dc-01': 3 })
  const [web, outside] = [await optionsFor(people.shop, 'web', [sku]), await optionsFor(market, 'marketplace', [sku])]
  expect([await plannedFrom(web, sent(web)), await plannedFrom(outside, sent(outside))]).toEqual([['store-mitte'], ['dc-01']])
  expect(outside.options.map((o) => o.method)).not.toContain('pickup')
  expect(web.options.map((o) => o.method)).toContain('pickup')
  const [near, far] = [await takeUp(people.shop, buy(sku), web, sent(web)), await takeUp(market, fromMarket(sku), outside, sent(outside))]
  expect([await sourcedFrom(near), await sourcedFrom(far)]).toEqual([['store-mitte'], ['dc-01']])
  const [why] = await decisions(far)
  expect(why).toMatchObject({ channelRules: ['marketplaces from warehouses'], chosen: { reason: expect.any(String) } })
  expect(why!.candidates.find((c) => c.nodeId === 'store-mitte')).toMatchObject({ verdict: 'excluded by the policy, as every store' })
  expect((await decisions(near))[0]).not.toHaveProperty('channelRules')
  const later = await people.place(fromMarket(sku, { claim: 'later' })) // nothing is claimed until its workflow asks
  expect(await sourcedFrom(later)).toEqual(['dc-01'])
})

it('would rather let a marketplace wait than send from a store', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const none = await optionsFor(market, 'marketplace', [sku], (o) => o.unavailable.length > 0)
  expect(none).toMatchObject({ options: [], unavailable: [{ sku, available: 0 }] })
  expect(await market('POST', '/v1/orders', orderOf(fromMarket(sku)))).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  const dry = async (channel: string): Promise<object> => (await people.operations('POST', '/v1/sourcing/dry-run', { order: { channel, shipTo: destination, lines: [{ sku, quantity: 1 }] } })).body
  expect(await dry('marketplace')).toMatchObject({ channelRules: ['marketplaces from warehouses'], short: [{ sku, available: 0 }] })
  expect(await dry('web')).toMatchObject({ chosen: { shipments: [{ nodeId: 'store-mitte' }] } })
  const orderId = await people.place(fromMarket(sku, { claim: 'later' }))
  await people.until(orderId, (o) => o.status === 'backordered')
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'found' })
  expect(await sourcedFrom(orderId)).toEqual(['dc-01'])
})

it('knows a channel by what it sells in, where, and how it takes its stock', async () => {
  const sku = await people.stocked({ 'store-mitte': 2, 'store-kreuzberg': 2 })
  const settings = { name: 'Abroad', currency: 'CHF', timeZone: 'Europe/Zurich', claim: 'later' }
  for (const [channel, more, nodeId] of [['zurich', {}, 'store-kreuzberg'], ['zurich-euro', { currency: 'EUR' }, 'store-mitte'], ['zurich-now', { claim: 'required' }, 'store-mitte'], ['vaduz', { timeZone: 'Europe/Vaduz' }, 'store-mitte']] as const) {
    expect(await people.operations('PUT', `/v1/channels/${channel}`, { ...settings, ...more })).toMatchObject({ status: 201 })
    const { body } = await people.operations('POST', '/v1/sourcing/dry-run', { order: { channel, shipTo: destination, lines: [{ sku, quantity: 1 }] } })
    expect(body).toMatchObject({ chosen: { shipments: [{ nodeId }] } })
  }
})

it('parts an order of the web shop, and never one of a channel that is marked so', async () => {
  const skus = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'store-kreuzberg': 2 })]
  const lines = skus.map((sku) => ({ sku, quantity: 1 }))
  const till = caller(system.url, 'demo-channel-pos')
  const web = await optionsFor(people.shop, 'web', skus)
  expect(await plannedFrom(web, sent(web))).toEqual(['store-kreuzberg', 'store-mitte'])
  expect(await optionsFor(till, 'pos', skus, (o) => o.unavailable.length > 0)).toMatchObject({ unavailable: [{}, {}] })
  expect((await sourcedFrom(await people.place({ lines }))).sort()).toEqual(['store-kreuzberg', 'store-mitte'])
  expect(await till('POST', '/v1/orders', orderOf({ channel: 'pos', lines, paidElsewhere: true }))).toMatchObject({ status: 409, body: { code: 'stock.short' } })
})

it('promises a marketplace with more confidence, more time and at another price, and the order keeps that', async () => {
  const sku = await people.stocked({ 'dc-01': 5 })
  const [web, outside] = [await optionsFor(people.shop, 'web', [sku]), await optionsFor(market, 'marketplace', [sku])]
  const [quick, slow] = [sent(web), sent(outside)]
  expect([quick.priceMinor, slow.priceMinor, outside.options.find((o) => o.service === 'express')!.priceMinor]).toEqual([490, 690, 990])
  expect(slow.confidence).toBeGreaterThanOrEqual(0.95)
  expect(Date.parse(slow.promisedBy) - Date.parse(quick.promisedBy)).toBeGreaterThanOrEqual(86_400_000)
  const minutesLeft = (at: string): number => Math.round((Date.parse(at) - Date.now()) / 60_000)
  expect([minutesLeft(web.expiresAt), minutesLeft(outside.expiresAt)]).toEqual([30, 120])
  const held = await market<{ expiresAt: string }>('POST', `/v1/quotes/${outside.quoteId}/hold`, { optionId: slow.optionId })
  expect([held.status, minutesLeft(held.body.expiresAt)]).toEqual([201, 120])
  const orderId = await takeUp(market, fromMarket(sku), outside, slow)
  const unquoted = await people.place(fromMarket(sku, { delivery: { method: 'delivery', service: 'standard' } }))
  for (const id of [orderId, unquoted]) {
    const { promise } = await people.order(id)
    expect(promise).toMatchObject({ promisedBy: slow.promisedBy })
    expect(promise.confidence).toBeGreaterThanOrEqual(0.95)
  }
  const ours = await people.place(buy(sku, { delivery: { method: 'delivery', service: 'standard' } }))
  expect((await people.order(ours)).promise).toMatchObject({ promisedBy: quick.promisedBy })
  const kept = await rows<{ rules: string[] | null; whole: unknown }>(
    system.db,
    `SELECT s.document->'promise'->'appliedRules' AS rules, s.document->'promise'->'channelRules' AS whole FROM orders o JOIN policy_snapshots s ON s.snapshot_id = o.policy_snapshot_id WHERE o.order_id = ANY(?) ORDER BY o.accepted_at`,
    [[unquoted, ours]],
  )
  expect(kept).toEqual([{ rules: ['careful'], whole: null }, { rules: null, whole: null }])
})

it('quotes a draft by the rules for its channel, and the order that it becomes is sourced by them', async () => {
  const sku = await people.stocked({ 'store-mitte': 2, 'dc-01': 2 })
  await optionsFor(market, 'marketplace', [sku])
  const quoted = async (channel: string): Promise<DraftView> => {
    const { draftId } = await writeDraft(people.support, { sku, more: { channel, shipping: { taxBasisPoints: 1_900 } } })
    const answer = await people.support<DraftView>('POST', `/v1/drafts/${draftId}/quote`, { validUntil: new Date(Date.now() + 3_600_000).toISOString(), optionId: 'delivery:standard' })
    expect(answer.status).toBe(200)
    return answer.body
  }
  const [web, outside] = [await quoted('web'), await quoted('marketplace')]
  expect([web.quote!.priceMinor, outside.quote!.priceMinor]).toEqual([490, 690])
  expect(outside.quote!.promisedBy > web.quote!.promisedBy).toBe(true)
  for (const [draft, nodeId] of [[web, 'store-mitte'], [outside, 'dc-01']] as const) {
    const placed = await placeIt(people.support, draft.draftId, byCard(draft.totals.totalMinor))
    expect(placed.status).toBe(201)
    expect(await sourcedFrom(placed.body.orderId)).toEqual([nodeId])
    expect((await people.order(placed.body.orderId)).promise).toMatchObject({ promisedBy: draft.quote!.promisedBy })
  }
})

it('holds an order to what its channel was when it was placed', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place(fromMarket(sku, { claim: 'later' }))
  await people.until(orderId, (o) => o.status === 'backordered')
  const settings = (await people.operations('GET', '/v1/channels/marketplace')).body
  expect(await people.operations('PUT', '/v1/channels/marketplace', { ...settings, kind: 'web' })).toMatchObject({ status: 200 })
  try {
    expect(await sourcedFrom(await people.place(fromMarket(sku)))).toEqual(['store-mitte'])
    expect(await people.order(orderId)).toMatchObject({ status: 'backordered', fulfillments: [] })
    await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'found' })
    expect(await sourcedFrom(orderId)).toEqual(['dc-01'])
  } finally {
    await people.operations('PUT', '/v1/channels/marketplace', settings)
  }
})

describe('a policy is refused, with the field,', () => {
  const draft = (kind: string, document: object): Promise<Answer<{ code: string; errors: { pointer: string; message: string }[] }>> => people.operations('POST', `/v1/policies/${kind}`, document)
  const sourcing = (rule: object, more: object = {}): object => ({ ...defaultPolicies.sourcing, ...more, channelRules: [{ name: 'a', channelKinds: ['marketplace'], ...rule }] })
  it.each<[string, string, object, number, string, string]>([
    ['for mode cost without costs', 'sourcing', sourcing({ mode: 'cost' }), 400, 'request.invalid', '/channelRules/0/costs'],
    ['for one shipment of lines that may be split', 'sourcing', sourcing({ maxShipments: 1 }, { maxShipments: 2, splitLines: true }), 400, 'request.invalid', '/channelRules/0/splitLines'],
    ['for a node that is not there', 'sourcing', sourcing({ fences: { excludeNodes: ['dc-01', 'nowhere'] } }), 400, 'node.unknown', '/channelRules/0/fences/excludeNodes/1'],
    ['for a channel that is not there', 'sourcing', sourcing({ channels: ['web', 'marketplaec'], maxShipments: 1 }), 400, 'channel.unknown', '/channelRules/0/channels/1'],
    ['for gathering at a store where none may send', 'sourcing', sourcing({ fences: { excludeTypes: ['store'] } }, { maxShipments: 2, consolidateAt: 'store-mitte' }), 400, 'request.invalid', '/channelRules/0/consolidateAt'],
    ['for a rule for nobody in particular', 'sourcing', { ...defaultPolicies.sourcing, channelRules: [{ name: 'a', maxShipments: 1 }] }, 400, 'request.invalid', '/channelRules/0'],
    ['for a rule that changes nothing', 'sourcing', sourcing({}), 400, 'request.invalid', '/channelRules/0'],
    ['for a rate card of its own', 'sourcing', sourcing({ costs: { rateCard: [] } }), 400, 'request.invalid', '/channelRules/0/costs'],
    ['for a time that is none, whatever else it says', 'sourcing', sourcing({ fences: { openWithin: 'soon' } }, { fences: { openWithin: 'PT2H' } }), 400, 'request.invalid', '/channelRules/0/fences/openWithin'],
    ['for more rules than can be held against each other', 'sourcing', { ...defaultPolicies.sourcing, channelRules: Array.from({ length: 21 }, (_, i) => ({ name: `r${i}`, channels: ['web'], maxShipments: 1 })) }, 400, 'request.invalid', '/channelRules'],
    ['for a name that is used twice', 'promise', { ...defaultPolicies.promise, channelRules: [careful, careful] }, 400, 'request.invalid', '/channelRules'],
    ['for a confidence that nobody has', 'promise', { ...defaultPolicies.promise, channelRules: [{ ...careful, confidence: 1 }] }, 400, 'request.invalid', '/channelRules/0/confidence'],
    ['for a channel that is not there', 'promise', { ...defaultPolicies.promise, channelRules: [{ name: 'a', channels: ['nowhere'], confidence: 0.95 }] }, 400, 'channel.unknown', '/channelRules/0/channels/0'],
  ])('%s (%s)', async (_why, kind, document, status, code, pointer) => {
    const versions = async (): Promise<unknown> => (await people.operations('GET', `/v1/policies/${kind}`)).body.versions
    const before = await versions()
    const answer = await draft(kind, document)
    expect({ status: answer.status, code: answer.body.code, pointers: answer.body.errors.map((e) => e.pointer) }).toEqual({ status, code, pointers: [expect.stringContaining(pointer)] })
    expect(await versions()).toEqual(before)
  })

  it('also where it is only to be tried on the past', async () => {
    const day = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }
    expect(await people.operations('POST', '/v1/sourcing/back-tests', { ...day, draft: sourcing({ channels: ['nowhere'], maxShipments: 1 }) })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/draft/channelRules/0/channels/0' }] } })
  })
})
