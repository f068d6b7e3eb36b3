/** What carriers and drivers say of a return reaches its order late, in another order, twice, or after the order has closed: the money it brings is given all the same, once. */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import { randomUUID } from 'node:crypto'
import { applyCarrierFact } from '../../db/facts'
import { receiveFact, settleFact, type InboundFact, type Telling } from '../../db/inbox'
import type { ReturnView } from '../../db/views/returns'
import type { RunView } from '../../db/views/runs'
import { tellingsOf } from '../../db/runs'
import { openForStuck } from '../../db/watch'
import { checkInvariants } from '../invariants/checker'
import { startInMemory, type InMemory } from '../support/in-memory/system'
import { caller, nearMitte, peopleOf, type Call, type FulfillmentWork, type OrderWish, type People } from '../support/people'

let system: InMemory
let people: People
let driver: Call
beforeAll(async () => {
  system = await startInMemory({ returns: { window: 'P14D', restockBy: 'P7D', refundOn: 'scan' }, last_mile: { waveSize: 50 } })
  people = peopleOf(system)
  driver = caller(system.url, 'demo-courier-driver-mark')
})
afterAll(async () => {
  try {
    expect(await checkInvariants({ db: system.db, books: system.provider.books }, true)).toEqual([])
  } finally {
    await system.stop()
  }
})

/** Orders placed from now on live by it. */
async function policy(changes: object): Promise<void> {
  const { body } = await people.operations<{ version: number }>('POST', '/v1/policies/returns', { window: 'P14D', restockBy: 'P7D', refundOn: 'scan', ...changes })
  await people.operations('POST', `/v1/policies/returns/${body.version}/activate`, {})
}

async function delivered(wish: OrderWish = {}): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }], ...wish })
  await system.settled(orderId)
  await arrives(orderId, (await people.order(orderId)).fulfillments[0]!)
  return orderId
}

async function arrives(orderId: string, work: FulfillmentWork): Promise<void> {
  await people.pickAll(work)
  const { trackingNumber } = (await people.packAll(work)).body.packages[0]!
  await people.handOver(work)
  await system.tell(orderId, said(trackingNumber!, 'delivered'))
  await system.settled(orderId)
}

const said = (trackingNumber: string, status: string): InboundFact => ({ source: 'carrier:swiftparcel', eventId: randomUUID(), kind: 'carrier', subject: trackingNumber, payload: { status, at: new Date().toISOString() } })

async function sentBack(): Promise<{ orderId: string; returnId: string; trackingNumber: string }> {
  const orderId = await delivered()
  const { returnId } = await asked(orderId, 'mail')
  await system.settled(orderId)
  return { orderId, returnId, trackingNumber: (await view(returnId)).label!.trackingNumber! }
}

const asked = async (orderId: string, method: string, quantity = 1): Promise<ReturnView> => (await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method })).body
const view = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const count = (returnId: string): Promise<{ status: number }> => people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })

/** The rows have it, and its order has not heard of it yet. */
async function untold(fact: InboundFact): Promise<Telling> {
  await receiveFact(system.db, fact)
  const telling = await applyCarrierFact(system.db, fact)
  await settleFact(system.db, fact, 'done', 'told by the test')
  return telling!
}
async function tell(orderId: string, { signal, fact, ...order }: { channel: string; channelOrderId: string; signal: string; fact: object }): Promise<void> {
  await system.hall.tell(order, signal, fact)
  await system.settled(orderId)
}
async function ends(orderId: string): Promise<void> {
  for (let turns = 0; (await people.order(orderId)).workflowOpen && turns < 20; turns += 1) await system.elapse(orderId)
  expect(await people.order(orderId)).toMatchObject({ workflowOpen: false, status: 'completed' })
}
const paid = async (orderId: string): Promise<[number, number]> => [(await people.order(orderId)).money.refundedMinor, system.provider.books().filter((i) => i.orderRef === orderId).reduce((sum, i) => sum + i.refundedMinor, 0)]
const claimed = async (orderId: string): Promise<number> => (await people.told(orderId)).filter((type) => type === 'return.claimed').length

it('pays for the first scan when its order hears of the loss before', async () => {
  const { orderId, returnId, trackingNumber } = await sentBack()
  const scanned = await untold(said(trackingNumber, 'in_transit'))
  const lost = await untold(said(trackingNumber, 'lost'))
  await tell(orderId, lost)
  expect(await view(returnId)).toMatchObject({ status: 'closed' })
  expect(await paid(orderId)).toEqual([0, 0])
  await tell(orderId, scanned)
  await tell(orderId, scanned)
  await tell(orderId, lost)
  expect(await paid(orderId)).toEqual([2_490, 2_490])
  expect(await claimed(orderId)).toBe(1)
  await ends(orderId)
})

it('pays once what it is told twice', async () => {
  const { orderId, trackingNumber } = await sentBack()
  const [scanned, came] = [await untold(said(trackingNumber, 'in_transit')), await untold(said(trackingNumber, 'delivered'))]
  for (const telling of [scanned, scanned, came, scanned]) await tell(orderId, telling)
  expect(await paid(orderId)).toEqual([2_490, 2_490])
  expect((await people.told(orderId)).filter((type) => type === 'payment.refunded')).toHaveLength(1)
})

it('opens an order again that has closed before it heard of the scan, and closes it once that is paid: its window is over', async () => {
  const { orderId, returnId, trackingNumber } = await sentBack()
  const scanned = await untold(said(trackingNumber, 'in_transit'))
  await count(returnId)
  await ends(orderId)
  expect(await paid(orderId)).toEqual([0, 0])
  for (const _ of [1, 2]) {
    await tell(orderId, scanned)
    expect([await paid(orderId), await people.order(orderId)]).toMatchObject([[2_490, 2_490], { workflowOpen: false, waitingOn: null }])
  }
})

it('asks a carrier for what it lost, when the order has closed before it heard of that', async () => {
  await policy({ whenLost: 'ask' })
  const { orderId, returnId, trackingNumber } = await sentBack()
  await policy({})
  const lost = await untold(said(trackingNumber, 'lost'))
  await people.support('POST', `/v1/returns/${returnId}/close`, { reason: 'lost' })
  await ends(orderId)
  expect(await claimed(orderId)).toBe(0)
  await tell(orderId, lost)
  expect([await paid(orderId), await claimed(orderId)]).toEqual([[0, 0], 1])
  await ends(orderId)
})

it('finds what nobody has paid when its order is opened again for something else', async () => {
  const { orderId, returnId, trackingNumber } = await sentBack()
  await untold(said(trackingNumber, 'in_transit')) // and never told
  await count(returnId)
  await ends(orderId)
  await people.giveBack(orderId, { amountMinor: 100, reason: 'torn' }, 'reject')
  await system.settled(orderId)
  expect(await paid(orderId)).toEqual([2_490, 2_490])
  await ends(orderId)
})

it('tells finance of what nobody pays, and pays it when somebody presses retry', async () => {
  const { orderId, returnId, trackingNumber } = await sentBack()
  await untold(said(trackingNumber, 'in_transit')) // and never told
  await count(returnId)
  await ends(orderId)
  const cases = async (): Promise<{ exceptionId: string; kind: string; status: string; owner: string }[]> => (await openForStuck(system.db), (await people.operations<{ items: { exceptionId: string; kind: string; status: string; owner: string }[] }>('GET', `/v1/exceptions?status=all&orderId=${orderId}`)).body.items)
  expect(await cases()).toEqual([])
  await system.db('payment_operations').where({ order_id: orderId, kind: 'refund' }).update({ intended_at: '2026-01-01T00:00:00Z' })
  const [found] = await cases()
  expect(await cases()).toMatchObject([{ kind: 'payment.not_made', status: 'open', owner: 'finance', data: { amountMinor: 2_490, workflowOpen: false } }])
  await people.operations('POST', `/v1/exceptions/${found!.exceptionId}/retry`, {})
  await system.settled(orderId)
  expect([await paid(orderId), await cases()]).toMatchObject([[2_490, 2_490], [{ kind: 'payment.not_made', status: 'resolved' }]])
  await ends(orderId)
})

async function takenByDriver(quantity = 1): Promise<{ orderId: string; returnId: string; run: RunView }> {
  await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: {} })
  const sku = await people.stocked({ 'store-mitte': quantity })
  const orderId = await delivered({ shipTo: nearMitte, lines: [{ sku, quantity, unitPriceMinor: 2_000 }] })
  const { returnId } = await asked(orderId, 'courier', quantity)
  const run = (await people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })).body
  for (const action of ['accept', 'depart']) await driver('POST', `/v1/runs/${run.runId}/${action}`, {})
  const [stop] = run.stops
  await driver('POST', `/v1/runs/${run.runId}/stops/${stop!.stopId}/complete`, { tasks: stop!.tasks.map((t) => ({ taskId: t.taskId, outcome: 'done' })) })
  return { orderId, returnId, run }
}
async function hearsOf(run: RunView, orderId: string): Promise<void> {
  for (let report = 1; report <= 4; report += 1) for (const telling of await tellingsOf(system.db, run.runId, report)) await tell(orderId, telling)
}

it('pays for what a driver took, when it is counted before its order hears of him', async () => {
  const { orderId, returnId, run } = await takenByDriver()
  expect(await count(returnId)).toMatchObject({ status: 200 })
  await system.settled(orderId)
  expect([(await view(returnId)).status, await paid(orderId)]).toEqual(['closed', [0, 0]])
  await hearsOf(run, orderId)
  expect(await paid(orderId)).toEqual([2_490, 2_490])
  await driver('POST', `/v1/runs/${run.runId}/return`, {})
  await ends(orderId)
})

it('tells operations again of what a driver took when only some of it is counted, and not the rest in time', async () => {
  await policy({ refundOn: 'receipt' })
  const { orderId, returnId, run } = await takenByDriver(2)
  await policy({})
  await hearsOf(run, orderId)
  await driver('POST', `/v1/runs/${run.runId}/return`, {})
  const told = async (): Promise<string[][]> => (await people.operations<{ items: { kind: string; status: string }[] }>('GET', `/v1/exceptions?status=all&orderId=${orderId}`)).body.items.map((e) => [e.kind, e.status])
  const later = async (cases: number): Promise<string[][]> => {
    for (let turns = 0; (await told()).length < cases && turns < 6; turns += 1) await system.elapse(orderId)
    return told()
  }
  expect(await later(1)).toEqual([['return.not_counted', 'open']])
  await count(returnId)
  expect(await later(2)).toEqual([['return.not_counted', 'resolved'], ['return.not_counted', 'open']])
  await count(returnId)
  await ends(orderId)
})

/** Others were sent for what she has, and money is held over it. */
async function guarded(): Promise<{ orderId: string; returnId: string; trackingNumber: string }> {
  await policy({ advance: { hold: true } })
  const orderId = await delivered()
  const other = await people.stocked({ 'dc-01': 1 })
  const { returnId } = (await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: other, reason: 'too big' }], collectOld: 'mail' })).body
  await system.settled(orderId)
  await arrives(orderId, (await people.order(orderId)).fulfillments[1]!)
  await policy({})
  return { orderId, returnId, trackingNumber: (await view(returnId)).label!.trackingNumber! }
}
async function endsUncharged(orderId: string, returnId: string): Promise<void> {
  await count(returnId)
  await ends(orderId)
  expect(await view(returnId)).toMatchObject({ status: 'closed', guard: { state: 'let_go', chargedMinor: 0 } })
}
async function timePasses(orderId: string, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await system.elapse(orderId)
}
const openCases = async (orderId: string): Promise<string[]> => (await people.operations<{ items: { kind: string }[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items.map((e) => e.kind)

it('does not charge for what a carrier has brought in time, though its order hears of that after the date', async () => {
  const { orderId, returnId, trackingNumber } = await guarded()
  const came = await untold(said(trackingNumber, 'delivered'))
  await timePasses(orderId, 4)
  expect([await view(returnId), await openCases(orderId)]).toMatchObject([{ status: 'in_transit', guard: { state: 'held', chargedMinor: 0 } }, ['return.not_counted']])
  await tell(orderId, came)
  await endsUncharged(orderId, returnId)
})

it('gives what was posted in time another date, as nobody can post it again', async () => {
  const { orderId, returnId, trackingNumber } = await guarded()
  const before = Date.parse((await view(returnId)).dueAt)
  await system.tell(orderId, said(trackingNumber, 'in_transit'))
  await system.settled(orderId)
  const { dueAt, waitingOn } = await view(returnId)
  expect([waitingOn!.deadline, Math.round((Date.parse(dueAt) - before) / 86_400_000)]).toEqual([dueAt, 7])
  await endsUncharged(orderId, returnId)
})

it('waits for word of it where the date was answered before, and the answer was lost', async () => {
  const { orderId, returnId, trackingNumber } = await guarded()
  const { deadline } = (await view(returnId)).waitingOn!
  await system.db('effects').insert({ effect_key: `charge:${returnId}:${deadline}`, result: null })
  await timePasses(orderId, 2)
  expect(await view(returnId)).toMatchObject({ status: 'approved', guard: { state: 'held' } })
  await system.tell(orderId, said(trackingNumber, 'delivered'))
  await endsUncharged(orderId, returnId)
})

it.each([
  ['the other way round', [1, 0]],
  ['with the first again at the end', [0, 1, 0]],
  ['without the last', [0]],
])('tells who is to count it in time, when its order hears of the way of a parcel %s', async (_how, heard) => {
  const { orderId, returnId, trackingNumber } = await sentBack()
  const tellings = [await untold(said(trackingNumber, 'in_transit')), await untold(said(trackingNumber, 'delivered'))]
  for (const i of heard) await tell(orderId, tellings[i]!)
  await timePasses(orderId, 4)
  expect(await openCases(orderId)).toEqual(['return.not_counted'])
  await count(returnId)
  await ends(orderId)
})
