/** Orders that rules stop when they are placed, and what the fraud service says of them. */
import { jsonFraudCheck } from '../../adapters/fraud/json-fraud-check'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, nearMitte, orderOf, peopleOf, type OrderWish, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const fraud = { when: { channelKinds: ['web'], flags: ['judge'] }, blocks: ['payment', 'picking'], answerWithin: 'PT3S', whenSilent: 'cancel', reviewWithin: 'PT10M', whenUnreviewed: 'cancel', reviewer: 'support' } as const
const rules = [
  { name: 'much money', type: 'approval', reason: 'more than 500', when: { amount: { fromMinor: 50_000, currency: 'EUR' } }, blocks: ['picking'], owner: 'support', approvals: 2 },
  { name: 'above its limit', type: 'approval', reason: 'more than this channel may', when: { limit: 'approval' }, blocks: ['picking'], owner: 'support', approvals: 2 },
  { name: 'other bill', type: 'address', reason: 'billed elsewhere', when: { addressDiffers: 'from_billing' }, blocks: ['shipping'], owner: 'support' },
  { name: 'new door', type: 'address', reason: 'never sent there', when: { addressDiffers: 'from_earlier_orders', flags: ['known'] }, blocks: ['shipping'], owner: 'support' },
  { name: 'until paid', type: 'payment', reason: 'not paid yet', when: { flags: ['until-paid'] }, blocks: ['picking'], owner: 'operations', releasedBy: 'payment_authorized' },
  { name: 'for a moment', type: 'pause', reason: 'she may still change her mind', when: { flags: ['pause'] }, blocks: ['sourcing'], owner: 'operations', endsAfter: 'PT0.5S', atDeadline: 'release' },
] as const
beforeAll(async () => {
  system = await startSystem({ policies: { holds: { rules, fraud } }, fraud: { answerMs: 0 } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const control = async (path: string, body: object): Promise<void> => {
  const answer = await fetch(`${system.fraud!.url}/control/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}
async function place(wish: OrderWish, more: object = {}): Promise<string> {
  const placed = await people.shop<{ orderId: string; status: string }>('POST', '/v1/orders', { ...orderOf({ ...socks, ...wish }), ...more })
  expect(placed.status).toBe(201)
  return placed.body.orderId
}
const judged = (opinion: string): Promise<string> => place({ customer: { customerRef: 'c-9', name: 'Customer', email: `customer+${opinion}@example.com` } }, { flags: ['judge'] })
const checkOf = async (orderId: string): Promise<string> => (await system.db('fraud_checks').where({ order_id: orderId }).first<{ id: string }>('check_id as id')).id
interface Booked {
  key: string
  orderRef: string
  amountMinor: number
  asked: number
  verdict: string
}
const books = async (): Promise<Booked[]> => ((await (await fetch(`${system.fraud!.url}/control/books`)).json()) as { checks: Booked[] }).checks

it('needs two people to say yes to much money, neither of whom sent the order', async () => {
  const orderId = await place({ lines: [{ sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 60_000 }] })
  const { holds } = await people.until(orderId, (o) => o.status === 'held')
  expect(holds).toMatchObject([{ type: 'approval', approvals: { needed: 2, askedBy: 'channel:demo-channel-web', approvedBy: [] } }])
  const path = `/v1/orders/${orderId}/holds/${holds[0]!.holdId}/release`
  expect((await people.support('POST', path, {})).body).toMatchObject({ holds: [{ approvals: { approvedBy: ['support:demo-support'] } }] })
  expect(await people.support('POST', path, {})).toMatchObject({ status: 409, body: { code: 'hold.four_eyes' } })
  expect((await caller(system.url, 'demo-admin')('POST', path, {})).body).toMatchObject({ holds: [] })
  await people.until(orderId, (o) => o.status === 'in_fulfillment')
})

it('asks for a yes above the amount that the channel itself gives', async () => {
  const { body: web } = await people.operations('GET', '/v1/channels/web')
  const reasons = async (): Promise<string[]> => (await people.order(await place({ lines: [{ sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 30_000 }] }))).holds.map((h) => h.reason)
  expect(await reasons()).toEqual([])
  await people.operations('PUT', '/v1/channels/web', { ...web, limits: { approval: 20_000 } })
  expect(await reasons()).toEqual(['more than this channel may'])
  await people.operations('PUT', '/v1/channels/web', { ...web, limits: {} })
})

it('stops what is billed elsewhere, and what goes to a door that the customer has never had', async () => {
  const elsewhere = await place({}, { billTo: { ...nearMitte, postalCode: '80331', line1: 'Elsewhere 3' } })
  expect((await people.order(elsewhere)).holds).toMatchObject([{ reason: 'billed elsewhere', blocks: ['shipping'] }])
  const customer = { customerRef: 'c-moves', name: 'Customer' }
  const first = await place({ customer }, { flags: ['known'] })
  const second = await place({ customer, shipTo: { ...nearMitte, line1: 'New street 7' } }, { flags: ['known'] })
  expect((await people.order(first)).holds).toEqual([])
  expect((await people.order(second)).holds).toMatchObject([{ reason: 'never sent there' }])
})

it('stops an order of a shop on Shopify that is billed elsewhere', async () => {
  const order = freshShopifyOrder()
  const [same, other] = [{ ...order }, { ...freshShopifyOrder(), billing_address: { ...order.shipping_address, address1: 'Elsewhere 3', zip: '80331' } }]
  const holdsOf = async (body: object): Promise<string[]> => (await people.order((await sendShopify(system.url, body)).body.orderId!)).holds.map((h) => h.reason)
  expect(await holdsOf({ ...same, billing_address: order.shipping_address })).toEqual([])
  expect(await holdsOf(other)).toEqual(['billed elsewhere'])
})

it('lets go by itself what a fact or a time was to release', async () => {
  const [paid, paused] = [await place({}, { flags: ['until-paid'] }), await place({}, { flags: ['pause'] })]
  for (const orderId of [paid, paused]) {
    await people.until(orderId, (o) => o.status === 'in_fulfillment' && o.holds.length === 0)
    expect(await people.told(orderId)).toEqual(expect.arrayContaining(['hold.placed', 'hold.released']))
  }
})

it('goes on when the fraud service accepts at once, and no money was held before', async () => {
  const orderId = await judged('accept')
  const told = await eventually(() => people.told(orderId), (types) => types.includes('payment.authorized'))
  expect(told.indexOf('fraud.checked')).toBeLessThan(told.indexOf('payment.authorized'))
  await people.until(orderId, (o) => o.status === 'in_fulfillment')
})

it('waits for a person where the service is not sure, and goes on with her yes', async () => {
  const orderId = await judged('review')
  const { holds } = await people.until(orderId, (o) => o.holds.some((h) => h.type === 'fraud_review'))
  expect(holds).toMatchObject([{ owner: 'support', blocks: ['payment', 'picking'], atDeadline: 'cancel' }])
  await people.support('POST', `/v1/orders/${orderId}/holds/${holds[0]!.holdId}/release`, { reason: 'she is known' })
  await people.until(orderId, (o) => o.status === 'in_fulfillment')
})

it('is cancelled and undone when the service rejects it: nothing held, the stock free', async () => {
  const orderId = await judged('reject')
  const ended = await people.until(orderId, (o) => !o.workflowOpen)
  expect(ended).toMatchObject({ status: 'cancelled', money: { capturedMinor: 0 }, lines: [{ allocated: 0, cancelled: 1 }] })
  const cancelled = (await people.support<{ items: { type: string; data: { reason?: string } }[] }>('GET', `/v1/orders/${orderId}/timeline`)).body.items.find((e) => e.type === 'order.cancelled')
  expect(cancelled!.data.reason).toBe('fraud.rejected')
})

it('hears an answer that comes later, comes twice, or comes before the call has returned, once', async () => {
  await control('pace', { answerMs: 300 })
  const later = await judged('accept')
  await control('faults', { next: 1, kind: 'answers_first' })
  const early = await judged('accept')
  await control('webhooks', { duplicate: true })
  const twice = await judged('accept')
  for (const orderId of [later, early, twice]) await people.until(orderId, (o) => o.status === 'in_fulfillment')
  await control('webhooks', {})
  await control('pace', { answerMs: 0 })
  for (const orderId of [later, early, twice]) expect((await people.told(orderId)).filter((t) => t === 'fraud.checked')).toHaveLength(1)
})

it('asks once more under the same key when the service fails or its answer is lost', async () => {
  await control('faults', { next: 2, kind: 'error_500' })
  const failing = await judged('accept')
  await people.until(failing, (o) => o.status === 'in_fulfillment')
  await control('faults', { next: 1, kind: 'timeout_after_effect', delayMs: 50 })
  const lost = await judged('accept')
  await people.until(lost, (o) => o.status === 'in_fulfillment')
  const key = await checkOf(lost)
  expect((await books()).filter((c) => c.key === key)).toMatchObject([{ orderRef: lost, amountMinor: 1_490, asked: 2, verdict: 'accept' }])
})

it('ends as the rule says when the service is never heard of', async () => {
  await control('faults', { next: 1, kind: 'never_answers' })
  const orderId = await judged('accept')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', money: { authorizedMinor: 0 } })
})

it('tells support when the service thinks worse of it later, and changes nothing by itself', async () => {
  const orderId = await judged('accept')
  await people.until(orderId, (o) => o.status === 'in_fulfillment')
  await control(`checks/${await checkOf(orderId)}`, { verdict: 'reject' })
  const opened = (): Promise<{ body: { items: { orderId: string }[] } }> => people.support('GET', '/v1/exceptions?kind=fraud.answers_differ')
  await eventually(opened, ({ body }) => body.items.some((e) => e.orderId === orderId))
  expect((await people.order(orderId)).status).toBe('in_fulfillment')
})

/** A person has let it go before the service has said anything, and it has left. */
async function leftUnjudged(): Promise<{ orderId: string; check: string; trackingNumber: string }> {
  await control('faults', { next: 1, kind: 'never_answers' })
  const orderId = await judged('accept')
  const { holds } = await people.until(orderId, (o) => o.holds.some((h) => h.type === 'fraud_check'))
  const check = await checkOf(orderId)
  await eventually(books, (checks) => checks.some((c) => c.key === check))
  expect((await people.support('POST', `/v1/orders/${orderId}/holds/${holds[0]!.holdId}/release`, { reason: 'she is known' })).status).toBe(200)
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  await people.handOver(work!)
  return { orderId, check, trackingNumber: (await people.order(orderId)).shipments[0]!.trackingNumber! }
}
const open = async (orderId: string): Promise<{ exceptionId: string }[]> => (await people.support<{ items: { exceptionId: string }[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items

it.each(['before', 'after'])('has support look for what has left where the service rejects it %s it has arrived, until a person says what came of it', async (when) => {
  const { orderId, check, trackingNumber } = await leftUnjudged()
  const rejects = async (): Promise<void> => {
    await control(`checks/${check}`, { verdict: 'reject' })
    await eventually(() => open(orderId), (items) => items.length > 0, { what: 'the case' })
  }
  if (when === 'before') await rejects()
  await people.carrierSays(trackingNumber, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', lines: [{ delivered: 1 }] })
  if (when === 'after') await rejects()
  const cases = await open(orderId)
  expect(cases).toMatchObject([{ kind: 'fraud.rejected_too_late', subject: check, owner: 'support', status: 'open' }])
  expect((await people.support('POST', `/v1/exceptions/${cases[0]!.exceptionId}/resolve`, { resolution: 'told the police' })).status).toBe(200)
  expect(await open(orderId)).toEqual([])
})

it('has nobody look for what the service rejected once the carrier has brought it back', async () => {
  const { orderId, check, trackingNumber } = await leftUnjudged()
  await control(`checks/${check}`, { verdict: 'reject' })
  await eventually(() => open(orderId), (items) => items.length > 0, { what: 'the case' })
  await people.carrierSays(trackingNumber, 'returned')
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'cancelled', lines: [{ cancelled: 1 }], money: { owedMinor: 0 } })
  expect(await open(orderId)).toEqual([])
})

it('takes no answer that is not signed', async () => {
  const answer = await fetch(`${system.url}/v1/fraud/events`, { method: 'POST', headers: { 'content-type': 'application/json', 'fraud-signature': 't=1,v1=00' }, body: '{}' })
  expect(answer.status).toBe(401)
  const elsewhere = jsonFraudCheck({ baseUrl: system.fraud!.url, apiKey: 'wrong', webhookSecret: 'x', timeoutMs: 1_000 })
  await expect(elsewhere.ask({ key: 'k', orderRef: 'o', channel: 'web', currency: 'EUR', amountMinor: 1, customer: {}, lines: [], tenders: [] })).rejects.toThrow('401')
})
