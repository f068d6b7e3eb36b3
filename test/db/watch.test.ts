/** What overstays is noticed: each kind of stuck thing becomes one exception, once. */
import { receiveFact } from '../../db/inbox'
import { openForStuck } from '../../db/watch'
import { writeDraft } from '../support/drafts'
import { eventually, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ worker: false })
  people = peopleOf(system)
})
afterAll(() => system?.stop())

const openKinds = async (): Promise<string[]> => (await people.operations<{ items: { kind: string }[] }>('GET', '/v1/exceptions')).body.items.map((e) => e.kind).sort()

it('finds nothing where everything moves', async () => {
  await people.place()
  expect(await openForStuck(system.db)).toBe(0)
})

it('opens one exception for each thing that is stuck, and not a second one', async () => {
  const orderId = await people.place()
  const started = (): Promise<number> => system.db('workflow_starts').where({ order_id: orderId }).whereNotNull('done_at').count({ n: '*' }).then(([r]) => Number(r!.n))
  await eventually(started, (n) => n === 1)
  await system.db('workflow_starts').where({ order_id: orderId }).update({ done_at: null, queued_at: '2026-01-01T00:00:00Z', leased_until: '2999-01-01T00:00:00Z' })
  await system.db.transaction(async (tx) => {
    await receiveFact(tx, { source: 'carrier:swiftparcel', eventId: 'e-1', kind: 'carrier', subject: 'SP1', payload: {} })
    await tx('inbound_events').where({ event_id: 'e-1' }).update({ received_at: '2026-01-01T00:00:00Z', leased_until: '2999-01-01T00:00:00Z' })
  })
  await system.db('stock_arrivals').insert({ sku: 'CAP-BLACK', at: '2026-01-01T00:00:00Z', due_at: '2999-01-01T00:00:00Z' })
  await system.db('payment_operations').where({ order_id: orderId }).update({ status: 'unknown', last_called_at: '2026-01-01T00:00:00Z' })
  await system.db('orders').where({ order_id: orderId }).update({ waiting_on: JSON.stringify({ what: 'payment', since: '2026-01-01T00:00:00Z', deadline: '2026-01-01T00:30:00Z' }) })
  expect(await openForStuck(system.db)).toBe(5)
  expect(await openForStuck(system.db)).toBe(5)
  expect(await openKinds()).toEqual(['inbox.stuck', 'order.not_started', 'order.stuck', 'payment.outcome_unknown', 'stock.untold'])
})

it('tells finance of money that nobody takes or gives, but not of what waits for another that fails, or for a hold', async () => {
  const orderId = await people.place({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }] })
  const { payment_id } = await system.db<{ payment_id: string; order_id: string }>('payments').where({ order_id: orderId }).first('payment_id').then((p) => p!)
  const recorded = { payment_id, order_id: orderId, status: 'intended', amount_minor: 1, intended_at: '2026-01-01T00:00:00Z' }
  const [one, other] = ['0198c5a2-0000-7000-8000-00000000f101', '0198c5a2-0000-7000-8000-00000000f102']
  const told = async (): Promise<string[]> => (await openForStuck(system.db), (await people.operations<{ items: { kind: string; subject: string }[] }>('GET', '/v1/exceptions?kind=payment.not_made')).body.items.map((e) => e.subject))
  await system.db('payment_operations').insert([{ ...recorded, operation_id: one, kind: 'capture', purpose: 'one' }, { ...recorded, operation_id: other, kind: 'refund', purpose: 'other' }])
  await system.db('exceptions').insert({ exception_id: one, order_id: orderId, kind: 'payment.capture_failed', subject: one, owner: 'finance', summary: 'it fails', data: '{}' })
  expect(await told()).toEqual([])
  await system.db('exceptions').where({ exception_id: one }).update({ resolved_at: '2026-01-01T00:00:00Z' })
  await system.db('orders').where({ order_id: orderId }).update({ blocked: '{refund}' })
  expect(await told()).toEqual([one])
  await system.db('orders').where({ order_id: orderId }).update({ blocked: '{}' })
  expect(await told()).toEqual([one, other])
  await system.db('payment_operations').where({ operation_id: other }).update({ status: 'succeeded' })
  expect(await told()).toEqual([one])
})

it('tells operations of a payment link that does not go on, until it does', async () => {
  const { draftId } = await writeDraft(people.support, { sku: 'SOCKS-3P' })
  await people.support('POST', `/v1/drafts/${draftId}/payment-link`, { expiresAt: new Date(Date.now() + 3_600_000).toISOString(), returnTo: 'https://shop.example/thanks' })
  const told = async (): Promise<string[]> => (await openForStuck(system.db), (await openKinds()).filter((kind) => kind.startsWith('draft.')))
  expect(await told()).toEqual([])
  await system.db('draft_links').update({ created_at: '2026-01-01T00:00:00Z' })
  expect([await told(), await told()]).toEqual([['draft.link_stuck'], ['draft.link_stuck']])
  await system.db('draft_links').update({ status: 'open' })
  expect(await told()).toEqual([])
  await system.db('draft_links').update({ expires_at: '2026-01-01T00:00:00Z' })
  expect(await told()).toEqual(['draft.link_stuck'])
})

it('tells support once of a promise that was missed, and of a parcel that nobody has scanned', async () => {
  const orderId = await people.place()
  const past = '2026-01-01T00:00:00Z'
  const promise = { promisedFrom: past, promisedBy: past, confidence: 0.9, milestones: { 'store-mitte': { pickBy: past, handOverBy: past, scanBy: past } } }
  await system.db('orders').where({ order_id: orderId }).update({ promise: JSON.stringify(promise) })
  const fulfillment_id = '0198c5a2-0000-7000-8000-00000000f001'
  await system.db('fulfillments').insert({ fulfillment_id, order_id: orderId, node_id: 'store-mitte', method: 'delivery', service: 'standard', status: 'handed_over', handed_over_at: past })
  await system.db('packages').insert({ package_id: fulfillment_id, fulfillment_id, number: 1, weight_grams: 1, lines: '[]', carrier: 'swiftparcel', tracking_number: 'SP-UNSEEN' })
  await openForStuck(system.db)
  const kinds = async (): Promise<string[]> => (await openKinds()).filter((k) => k.startsWith('promise.'))
  expect(await kinds()).toEqual(['promise.missed', 'promise.not_scanned'])
  expect((await people.order(orderId)).promise.state).toBe('missed')
  await system.db('exceptions').where({ kind: 'promise.missed' }).update({ resolved_at: past })
  await openForStuck(system.db)
  expect(await kinds()).toEqual(['promise.not_scanned'])
})
