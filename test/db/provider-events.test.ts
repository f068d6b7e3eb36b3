/**
 * The provider's messages come in no promised sequence, twice, or only after they were lost: whatever becomes of them on the way, they end in the same
 * payment and the same ledger. The messages are those that the simulated provider sends for each way in which a payment may go, word for word.
 */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import Stripe from 'stripe'
import type { ProviderView } from '../../activities/ports'
import { stripeProvider } from '../../adapters/stripe/provider'
import { stripeWebhook } from '../../adapters/stripe/webhook'
import { outsideRoutes } from '../../api/routes/outside'
import { row } from '../../db/connection'
import { leaseFacts } from '../../db/inbox'
import { applyView, saveReference } from '../../db/payments'
import { factDealer } from '../../relay/inbox'
import { startPaymentSimulator, type PaymentSimulator } from '../../simulators/payments/server'
import { control } from '../simulators/receiver'
import { openEdge, type Edge } from '../api/edge'
import { orderOf } from '../support/people'
import { sampledInLanes } from '../support/property'

const webhookSecret = 'whsec_permuted'
const apiKey = 'sk_test_permuted'
const amountMinor = 1_490

/** One thing that is done to a payment. Captures, refunds and voids are named by their operations: `c1`, `r1`, `v1`. */
type Deed = { does: 'authorize'; with: string } | { does: 'capture'; operation: string; amountMinor: number; final: boolean } | { does: 'refund'; operation: string; amountMinor: number } | { does: 'void'; operation: string; partlyCaptured: boolean } | { does: 'decide'; status: string } | { does: 'dispute' } | { does: 'close dispute'; status: string }
interface Life {
  deeds: readonly Deed[]
  inParts?: true
}
const held: Deed = { does: 'authorize', with: 'pm_card_visa' }
const asked: Deed = { does: 'authorize', with: 'pm_card_threeDSecureRequired' }
const capture = (operation: string, minor = amountMinor, final = true): Deed => ({ does: 'capture', operation, amountMinor: minor, final })
const refund = (operation: string, minor: number): Deed => ({ does: 'refund', operation, amountMinor: minor })

const lives: Record<string, Life> = {
  'authorised and captured': { deeds: [held, capture('c1')] },
  'authorised after the customer was asked': { deeds: [asked, { does: 'decide', status: 'requires_capture' }, capture('c1')] },
  'declined after the customer was asked': { deeds: [asked, { does: 'decide', status: 'requires_payment_method' }] },
  declined: { deeds: [{ does: 'authorize', with: 'pm_card_chargeDeclined' }] },
  'pending at a bank that says no': { deeds: [{ does: 'authorize', with: 'pm_usBankAccount_processing' }, { does: 'decide', status: 'requires_payment_method' }] },
  'pending at a bank that says yes': { deeds: [{ does: 'authorize', with: 'pm_usBankAccount_processing' }, { does: 'decide', status: 'requires_capture' }] },
  'captured in part, the rest let go': { deeds: [held, capture('c1', 1_000)] },
  'captured in parts': { deeds: [held, capture('c1', 500, false), capture('c2', 400, false), capture('c3', 590)], inParts: true },
  'captured in parts, the rest let go': { deeds: [held, capture('c1', 500, false), { does: 'void', operation: 'v1', partlyCaptured: true }], inParts: true },
  'refunded in two': { deeds: [held, capture('c1'), refund('r1', 500), refund('r2', 990)] },
  'captured in parts and refunded in between': { deeds: [held, capture('c1', 700, false), refund('r1', 300), capture('c2', 790), refund('r2', 100)], inParts: true },
  'disputed and won': { deeds: [held, capture('c1'), { does: 'dispute' }, { does: 'close dispute', status: 'won' }] },
  'refunded, disputed and lost': { deeds: [held, capture('c1'), refund('r1', 200), { does: 'dispute' }, { does: 'close dispute', status: 'lost' }] },
  voided: { deeds: [held, { does: 'void', operation: 'v1', partlyCaptured: false }] },
  expired: { deeds: [held, { does: 'decide', status: 'canceled' }] },
}
const names = Object.keys(lives)

/** A life as it was told: its messages as they came, and what the provider says when it is asked after each deed. */
interface Told {
  reference: string
  ids: Record<string, string>
  messages: string[]
  views: ProviderView[]
  operations: { operationId: string; kind: string; amountMinor: number; final: boolean }[]
}

let edge: Edge
let simulator: PaymentSimulator
let deal: ReturnType<typeof factDealer>
const told = new Map<string, Told>()
const ends = new Map<string, unknown>()

beforeAll(async () => {
  edge = await openEdge({ routes: outsideRoutes({ webhook: stripeWebhook({ secret: webhookSecret }), carriers: [], wake: () => undefined }) })
  deal = factDealer({ db: edge.db, threads: { tell: () => Promise.resolve(true) }, channelFacts: {} })
  simulator = await startPaymentSimulator({ port: 0, apiKey, webhookSecret, multicapture: true })
  for (const name of names) told.set(name, await live(lives[name]!))
  for (const name of names) ends.set(name, await endOf(name, told.get(name)!.messages.map((_, i) => [i]), []))
})
afterAll(async () => {
  await Promise.all([simulator.close(), edge.close()])
})

/** Lets the provider live it, and listens. */
async function live({ deeds, inParts }: Life): Promise<Told> {
  const provider = stripeProvider({ apiKey, baseUrl: simulator.url, timeoutMs: 2_000 })
  const ids: Record<string, string> = { order: randomUUID(), payment: randomUUID(), authorize: randomUUID() }
  const { reference } = await provider.open({ key: randomUUID(), amountMinor, currency: 'EUR', orderId: ids.order!, paymentId: ids.payment!, operationId: ids.authorize!, description: 'web 1', ...(inParts && { inParts }) })
  const [views, operations]: [ProviderView[], Told['operations']] = [[], []]
  for (const deed of deeds) {
    if ('operation' in deed) {
      const operationId = (ids[deed.operation] = randomUUID())
      const voidedMinor = amountMinor - (views.at(-1)?.capturedMinor ?? 0)
      operations.push({ operationId, kind: deed.does, amountMinor: 'amountMinor' in deed ? deed.amountMinor : voidedMinor, final: deed.does === 'capture' && deed.final })
    }
    await does(provider, reference, deed, ids)
    views.push(await provider.lookUp(reference))
  }
  const messages = (await allMessages()).filter((message) => message.includes(reference))
  return { reference, ids, messages, views, operations }
}

/** Everything the provider has told or would have, oldest first. */
async function allMessages(): Promise<string[]> {
  const messages: string[] = []
  for (let after = ''; ; ) {
    const answer = await fetch(`${simulator.url}/v1/events?limit=100${after}`, { headers: { authorization: `Bearer ${apiKey}` } })
    const { data, has_more } = (await answer.json()) as { data: { id: string }[]; has_more: boolean }
    messages.unshift(...data.map((event) => JSON.stringify(event)).reverse())
    if (!has_more) return messages
    after = `&starting_after=${data.at(-1)!.id}`
  }
}

async function does(provider: ReturnType<typeof stripeProvider>, reference: string, deed: Deed, ids: Record<string, string>): Promise<unknown> {
  const key = randomUUID()
  switch (deed.does) {
    case 'authorize': return provider.authorize({ reference, key, paymentMethod: deed.with })
    case 'capture': return provider.capture({ reference, key, amountMinor: deed.amountMinor, operationId: ids[deed.operation]!, final: deed.final })
    case 'refund': return provider.refund({ reference, key, amountMinor: deed.amountMinor, operationId: ids[deed.operation]! })
    case 'void': return provider.void({ reference, key, partlyCaptured: deed.partlyCaptured })
    case 'decide': return control(simulator.url, 'POST', `/intents/${reference}`, { status: deed.status })
    case 'dispute': ids.dispute = (await control<{ id: string }>(simulator.url, 'POST', '/disputes', { paymentIntent: reference })).json.id; return
    case 'close dispute': return control(simulator.url, 'POST', `/disputes/${ids.dispute}`, { status: deed.status })
  }
}

/** The same life of another payment: every id in it is another, also those of its messages. */
function another(life: Told, ids: Record<string, string>, reference: string): (text: string) => string {
  const others: [string, string][] = [[life.reference, reference], ...Object.entries(life.ids).map(([name, id]): [string, string] => [id, ids[name]!])]
  return (text) => others.reduce((said, [from, to]) => said.replaceAll(from, to), text).replaceAll(/"evt_(\w+)"/g, `"evt_$1_${reference}"`)
}

/**
 * An order with such a payment hears the messages in groups, each in full before the next is dealt with; after some groups the provider's own answer comes too.
 * @returns what can be seen of the payment in the end
 */
async function endOf(name: string, groups: readonly (readonly number[])[], answers: readonly { after: number; view: number }[]): Promise<unknown> {
  const life = told.get(name)!
  const placed = await edge.post('/v1/orders', orderOf({ lines: [{ sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 1_000 }], claim: 'later' }), { key: 'demo-channel-web' })
  if (placed.status !== 201) throw new Error(placed.text)
  const orderId = placed.body.orderId as string
  const { paymentId, authorize } = (await row<{ paymentId: string; authorize: string }>(edge.db, `SELECT payment_id AS "paymentId", operation_id AS authorize FROM payment_operations WHERE order_id = ? AND kind = 'authorize'`, [orderId]))!
  const reference = `pi_${randomUUID()}`
  const ids = Object.fromEntries(Object.keys(life.ids).map((id) => [id, id === 'order' ? orderId : id === 'payment' ? paymentId : id === 'authorize' ? authorize : randomUUID()]))
  const renamed = another(life, ids, reference)
  await saveReference(edge.db, paymentId, { reference })
  for (const o of life.operations)
    await edge.db('payment_operations').insert({ operation_id: renamed(o.operationId), payment_id: paymentId, order_id: orderId, kind: o.kind, purpose: `${o.kind}:${renamed(o.operationId)}`, amount_minor: o.amountMinor, final: o.final, status: 'unknown' })
  for (const [at, group] of groups.entries()) {
    for (const message of group) await hear(renamed(life.messages[message]!))
    await dealWith(reference)
    for (const { view } of answers.filter((a) => a.after === at)) {
      const said = JSON.parse(renamed(JSON.stringify(life.views[view % life.views.length]))) as ProviderView
      await edge.db.transaction((tx) => applyView(tx, paymentId, { ...said }))
    }
  }
  return seen(orderId, paymentId, reference)
}

async function hear(body: string): Promise<void> {
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: webhookSecret })
  const { status } = await edge.send('POST', '/v1/payments/stripe/webhook', { key: null, raw: body, headers: { 'stripe-signature': signature, 'content-type': 'application/json' } })
  if (status !== 200) throw new Error(`the message was answered ${status}: ${body}`)
}

/** Several lanes share the inbox: whoever leases a fact deals with it, and everybody waits for their own. */
async function dealWith(reference: string): Promise<void> {
  do for (const fact of await leaseFacts(edge.db, 100, 30_000)) await deal(fact)
  while (await edge.db('inbound_events').where({ subject: reference, status: 'queued' }).first())
}

async function seen(orderId: string, paymentId: string, reference: string): Promise<unknown> {
  const { db } = edge
  const payment = await db('payments').where({ payment_id: paymentId }).first('status', 'authorized_minor', 'captured_minor', 'refunded_minor', 'decline_code')
  const operations = await db('payment_operations').where({ payment_id: paymentId, kind: 'capture' }).orderBy(['amount_minor', 'status']).select('amount_minor', 'status')
  const authorised = await db('payment_operations').where({ payment_id: paymentId, kind: 'authorize' }).first('status')
  const voids = await db('payment_operations').where({ payment_id: paymentId, kind: 'void' }).select('status')
  const ledger = await db('ledger_entries').where({ payment_id: paymentId }).groupBy('account', 'kind').orderBy(['account', 'kind']).select('account', 'kind').sum('amount_minor as minor')
  const disputes = await db('disputes').where({ payment_id: paymentId }).select('status', 'amount_minor')
  const cases = await db('exceptions').where({ order_id: orderId }).whereNull('resolved_at').whereRaw(`kind LIKE 'payment.%'`).orderBy('kind').select('kind')
  const order = await db('orders').where({ order_id: orderId }).first('payment_status')
  const open = await db('inbound_events').where({ subject: reference }).whereNot({ status: 'done' }).select('event_id')
  return { payment, operations, authorised, voids, ledger, disputes, cases, order, open }
}

/** Every message at least once, some several times, in any sequence and in groups of any size. */
const hearings = fc.constantFrom(...names).chain((name) => {
  const all = told.get(name)!.messages.map((_, i) => i)
  const again = fc.array(fc.constantFrom(...all), { maxLength: all.length })
  return fc.record({
    name: fc.constant(name),
    heard: again.chain((more) => fc.shuffledSubarray([...all, ...more].map((message, i) => ({ message, i })), { minLength: all.length + more.length })).map((drawn) => drawn.map((d) => d.message)),
    cuts: fc.array(fc.boolean(), { minLength: 2 * all.length, maxLength: 2 * all.length }),
    answers: fc.array(fc.record({ after: fc.nat(2 * all.length), view: fc.nat(10) }), { maxLength: 3 }),
  })
})

const grouped = (heard: readonly number[], cuts: readonly boolean[]): number[][] => {
  const groups: number[][] = [[]]
  heard.forEach((message, i) => {
    groups.at(-1)!.push(message)
    if (cuts[i]) groups.push([])
  })
  return groups
}

it('lives through every way a payment may go', () => {
  for (const name of names) expect(told.get(name)!.messages.length).toBeGreaterThan(0)
  const summary = Object.fromEntries(names.map((name) => [name, (ends.get(name) as { payment: { status: string } }).payment.status]))
  expect(summary).toMatchObject({ 'authorised and captured': 'captured', 'declined after the customer was asked': 'declined', declined: 'declined', 'captured in parts': 'captured', voided: 'voided', expired: 'voided', 'refunded in two': 'captured' })
})

it('ends in the same payment and the same ledger, whatever the sequence of the messages and however often they come', async () => {
  const property = fc.asyncProperty(hearings, async ({ name, heard, cuts, answers }) => {
    expect(await endOf(name, grouped(heard, cuts), answers)).toEqual(ends.get(name))
  })
  await sampledInLanes(property, { runs: 100, lanes: 3 })
}, 900_000)
