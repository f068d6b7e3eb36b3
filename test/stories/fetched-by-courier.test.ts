/** A driver fetches what a customer sends back: by itself, beside deliveries, again when nobody is in, and paid back when the policy trusts the driver's word. */
import type { RunView } from '../../db/views/runs'
import type { ReturnView } from '../../db/views/returns'
import { rows } from '../../db/connection'
import { gateAt } from '../support/gate'
import { caller, eventually, nearMitte, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let driver: Call
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT30S', restockBy: 'PT40S', refundOn: 'collection' }, last_mile: { waveSize: 50, waveWait: 'PT1H', nextAttemptAfter: 'PT0.1S', attempts: 2 } } })
  people = peopleOf(system)
  driver = caller(system.url, 'demo-courier-driver-mark')
  await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: {} })
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(shipTo: Record<string, unknown> = nearMitte): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }], shipTo })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === 1 && o.money.owedMinor === 0)
  return orderId
}
const fetchOf = async (orderId: string): Promise<Answer<ReturnView>> => people.shop<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'courier' })
const view = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const drive = (run: RunView, action: string, body: object = {}): Promise<Answer<RunView>> => driver<RunView>('POST', `/v1/runs/${run.runId}/${action}`, body)
async function underWay(): Promise<RunView> {
  const planned = await eventually(() => people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' }), (a) => a.status === 201, { what: 'a run' })
  await drive(planned.body, 'accept')
  return (await drive(planned.body, 'depart')).body
}
const ring = (run: RunView, orderId: string, outcome: string): Promise<Answer<RunView>> => {
  const stop = run.stops.find((s) => s.orderId === orderId)!
  return drive(run, `stops/${stop.stopId}/complete`, { tasks: stop.tasks.map((t) => ({ taskId: t.taskId, outcome })) })
}

it('fetches goods on the same run as deliveries to others, and gives the money back at the door', async () => {
  const orderId = await delivered()
  const { returnId } = (await fetchOf(orderId)).body
  const sku = await people.stocked({ 'store-mitte': 1 })
  const other = await people.place({ lines: [{ sku, quantity: 1 }], delivery: { method: 'delivery', service: 'own_driver' }, shipTo: { ...nearMitte, latitude: 52.54 } })
  const { fulfillments } = await people.until(other, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  expect((await people.operations<{ items: object[] }>('GET', '/v1/nodes/store-mitte/dispatch')).body.items).toEqual(expect.arrayContaining([expect.objectContaining({ returnId, fulfillmentId: null }), expect.objectContaining({ orderId: other, returnId: null })]))
  const run = await underWay()
  expect(run.stops.map((s) => s.orderId).sort()).toEqual([orderId, other].sort())
  await ring(run, orderId, 'done')
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 2_490, 'the money')).toMatchObject({ returns: [{ status: 'collected' }], lines: [{ returned: 0, credited: 1 }] })
  await ring(run, other, 'done')
  await drive(run, 'return')
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  expect(await people.until(orderId, (o) => o.returns[0]!.status === 'closed')).toMatchObject({ money: { refundedMinor: 2_490, owedMinor: 0 }, lines: [{ returned: 1 }] })
})

it('comes to a driver who is on his way, without disturbing whom he has told a time', async () => {
  const [first, second] = [await delivered({ ...nearMitte, latitude: 52.53 }), await delivered({ ...nearMitte, latitude: 52.55 })]
  await fetchOf(first)
  await fetchOf(second)
  const run = await underWay()
  expect(run.stops.map((s) => s.orderId)).toEqual([first, second])
  const between = await delivered({ ...nearMitte, latitude: 52.54 })
  const { returnId } = (await fetchOf(between)).body
  const extend = (): Promise<Answer<RunView>> => people.operations<RunView>('POST', `/v1/runs/${run.runId}/extend`, {})
  const longer = (await extend()).body
  expect(longer.stops.map((s) => s.orderId)).toEqual([first, between, second])
  expect(longer.stops.filter((s) => s.orderId !== between).map((s) => s.stopId)).toEqual(run.stops.map((s) => s.stopId))
  const page = async (): Promise<string> => (await fetch(system.url + (seen.run?.trackingPath ?? ''))).text()
  const seen = await view(returnId)
  expect(seen).toMatchObject({ run: { stop: 2, of: 3, status: 'departed' } })
  expect(await page()).toContain('Driver takes it along')
  for (const orderId of [first, between, second]) await ring(longer, orderId, 'done')
  expect(await page()).toMatch(/<title>Collected \w+day at \d\d:\d\d<\/title>/)
  await drive(run, 'return')
  expect(await view(returnId)).toMatchObject({ status: 'collected' })
})

it('comes again when nobody is in, and leaves it to support after the last attempt', async () => {
  const orderId = await delivered()
  const { returnId } = (await fetchOf(orderId)).body
  for (const next of ['another attempt', 'support asks']) {
    const run = await underWay()
    await ring(run, orderId, 'failed')
    await drive(run, 'return')
    const { items } = (await people.support<{ items: { type: string; data: { next?: string } }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body
    expect(items.filter((e) => e.type === 'return.not_collected').at(-1)!.data.next).toBe(next)
  }
  expect(await view(returnId)).toMatchObject({ status: 'approved' })
  expect(await people.support('POST', `/v1/returns/${returnId}/cancel`, {})).toMatchObject({ status: 200 })
})

it('sends nobody for what was taken back, and has the node count what a driver takes of it all the same', async () => {
  const [early, late] = [await delivered(), await delivered({ ...nearMitte, latitude: 52.53 })]
  const [first, second] = [(await fetchOf(early)).body.returnId, (await fetchOf(late)).body.returnId]
  await people.shop('POST', `/v1/returns/${first}/cancel`, {})
  const run = await underWay()
  expect(run.stops.map((s) => s.orderId)).toEqual([late])
  await people.shop('POST', `/v1/returns/${second}/cancel`, {})
  expect(await ring(run, late, 'done')).toMatchObject({ status: 200 })
  await drive(run, 'return')
  expect(await view(second)).toMatchObject({ status: 'cancelled' })
  expect((await people.order(late)).money.refundedMinor).toBe(0)
  const { items } = (await people.support<{ items: { kind: string; subject: string; owner: string; data: object }[] }>('GET', `/v1/exceptions?orderId=${late}`)).body
  expect(items).toMatchObject([{ kind: 'return.not_expected', subject: second, owner: 'support', data: { returnId: second, runId: run.runId, nodeId: 'store-mitte', status: 'cancelled', lines: [{ lineId: '1', quantity: 1 }] } }])
  expect(await people.told(late)).toContain('return.not_expected')
  const counted = { nodeId: 'store-mitte', lines: [{ lineId: '1', reason: 'on the van', counted: [{ quantity: 1, grade: 'as_new', disposition: 'restock' }] }] }
  expect(await people.store('store-mitte')('POST', `/v1/orders/${late}/counter-returns`, counted)).toMatchObject({ status: 201 })
  await people.until(late, (o) => o.money.refundedMinor === 2_490 && o.lines[0]!.returned === 1, 'the money')
  expect((await people.support<{ items: object[] }>('GET', `/v1/exceptions?orderId=${late}`)).body.items).toHaveLength(1)
})

const waiting = async (): Promise<string[]> => (await people.operations<{ items: { returnId: string | null }[] }>('GET', '/v1/nodes/store-mitte/dispatch')).body.items.flatMap((i) => i.returnId ?? [])
const planned = async (): Promise<RunView> => (await people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })).body

it('sends nobody again for a return that is over when its run is given up, or comes back without having been at its door', async () => {
  const [early, late] = [await delivered(), await delivered({ ...nearMitte, latitude: 52.53 })]
  const [cancelled, brought] = [(await fetchOf(early)).body.returnId, (await fetchOf(late)).body.returnId]
  const first = await planned()
  expect(first.stops).toHaveLength(2)
  await people.shop('POST', `/v1/returns/${cancelled}/cancel`, {})
  expect((await people.operations('POST', `/v1/runs/${first.runId}/cancel`, {})).status).toBe(200)
  expect(await waiting()).toEqual([brought])
  const run = await underWay()
  expect(run.stops.map((s) => s.orderId)).toEqual([late])
  await people.store('store-mitte')('POST', `/v1/returns/${brought}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  expect((await drive(run, 'return')).status).toBe(200)
  expect(await waiting()).toEqual([])
  expect(await people.until(late, (o) => o.returns[0]!.status === 'closed' && o.money.refundedMinor === 2_490, 'the money')).toMatchObject({ lines: [{ returned: 1 }] })
})

it('leaves out of a planned run the door at which there is nothing to fetch any more when the driver leaves', async () => {
  const [stays, goes] = [await delivered(), await delivered({ ...nearMitte, latitude: 52.53 })]
  const [over, open] = [(await fetchOf(stays)).body.returnId, (await fetchOf(goes)).body.returnId]
  const run = await planned()
  await people.shop('POST', `/v1/returns/${over}/cancel`, {})
  await drive(run, 'accept')
  const left = (await drive(run, 'depart')).body
  expect(left.stops.map((s) => [s.tasks[0]!.returnId, s.status, s.tasks[0]!.reason])).toEqual([[over, 'dropped', 'return_cancelled'], [open, 'pending', null]])
  expect(await view(over)).toMatchObject({ status: 'cancelled', run: null })
  await ring(left, goes, 'done')
  await drive(run, 'return')
  expect([(await view(open)).status, await waiting()]).toEqual(['collected', []])
})

it('sends nobody again for a return that is taken back in the moment in which its run is given up', async () => {
  const { returnId } = (await fetchOf(await delivered())).body
  const { runId } = await planned()
  const gate = await gateAt(system.db, { table: 'order_events', at: 'INSERT', when: `NEW.type = 'return.cancelled'` })
  const takenBack = people.shop('POST', `/v1/returns/${returnId}/cancel`, {})
  await gate.reached()
  let over = false
  const givenUp = people.operations('POST', `/v1/runs/${runId}/cancel`, {}).finally(() => (over = true))
  const stopped = (): Promise<object[]> => rows(system.db, `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE collections%'`)
  await eventually(async () => over || (await stopped()).length > 0, (is) => is, { what: 'the run to be given up, or to wait for the return' })
  await gate.open()
  expect((await Promise.all([takenBack, givenUp])).map((a) => a.status)).toEqual([200, 200])
  expect(await waiting()).toEqual([])
})

const door = (run: RunView, orderId: string): RunView['stops'][number] => run.stops.find((s) => s.orderId === orderId)!
const outcomesAt = (run: RunView, orderId: string): (string | null)[][] => door(run, orderId).tasks.map((t) => [t.type, t.returnId, t.outcome, t.reason]).sort()
const pageOf = async ({ run }: ReturnView): Promise<string> => (await fetch(system.url + (run?.trackingPath ?? ''))).text()
async function packedAnew(orderId: string): Promise<string> {
  const work = (await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'work')).fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  expect((await people.packAll(work)).status).toBe(200)
  return work.fulfillmentId
}

/** At one door of a planned run: new goods, the old ones to be taken along for them, and something else that is fetched by itself. */
async function broughtAndFetched(): Promise<{ orderId: string; fulfillmentId: string; fetched: string; exchanged: string; run: RunView }> {
  const [sku, other] = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'store-mitte': 1 })]
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }], delivery: { method: 'delivery', service: 'own_driver' } })
  await packedAnew(orderId)
  const first = await underWay()
  await ring(first, orderId, 'done')
  await drive(first, 'return')
  await people.until(orderId, (o) => o.lines[0]!.delivered === 2 && o.money.owedMinor === 0)
  const exchanged = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: other, reason: 'too big' }], collectOld: 'at_door' })).body.returnId
  const fulfillmentId = await packedAnew(orderId)
  const fetched = (await fetchOf(orderId)).body.returnId
  const run = await planned()
  expect(outcomesAt(run, orderId)).toEqual([['collect', exchanged, null, null], ['collect', fetched, null, null], ['deliver', null, null, null]].sort())
  return { orderId, fulfillmentId, fetched, exchanged, run }
}
const leaves = async (run: RunView): Promise<RunView> => {
  await drive(run, 'accept')
  return (await drive(run, 'depart')).body
}
/** What is fetched by itself is handed over; nothing else is asked of the driver there. */
async function fetchesAlone({ orderId, fetched, exchanged, run }: { orderId: string; fetched: string; exchanged: string; run: RunView }, why: string): Promise<void> {
  const left = await leaves(run)
  expect(door(left, orderId)).toMatchObject({ status: 'pending', etaFrom: expect.any(String) })
  expect(outcomesAt(left, orderId)).toEqual([['collect', exchanged, 'dropped', null], ['collect', fetched, null, null], ['deliver', null, 'dropped', why]].sort())
  const seen = await view(fetched)
  expect(seen).toMatchObject({ run: { runId: run.runId, stop: 1, of: 1, status: 'departed' } })
  expect(await view(exchanged)).toMatchObject({ status: 'approved', run: null })
  expect((await people.order(orderId)).shipments.at(-1)).toMatchObject({ run: null })
  expect(await pageOf(seen)).toContain('Driver takes it along')
  const { stopId, tasks } = door(left, orderId)
  const dropped = tasks.find((t) => t.type === 'deliver')!
  expect(await ring(left, orderId, 'done')).toMatchObject({ status: 400, body: { code: 'task.unknown' } })
  expect(await drive(left, `stops/${stopId}/complete`, { tasks: [{ taskId: dropped.taskId, outcome: 'done' }] })).toMatchObject({ status: 400, body: { code: 'task.unknown' } })
  const open = tasks.filter((t) => t.outcome === null)
  expect(await drive(left, `stops/${stopId}/complete`, { tasks: open.map(({ taskId }) => ({ taskId, outcome: 'done', proof: { name: 'Customer' } })) })).toMatchObject({ status: 200, body: { stops: [{ status: 'completed' }] } })
  expect(await pageOf(seen)).toMatch(/<title>Collected \w+day at \d\d:\d\d<\/title>/)
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 2_000, 'the money')).toMatchObject({ lines: [{ credited: 1 }, { shipped: 0 }] })
  expect(await drive(left, 'return')).toMatchObject({ status: 200, body: { status: 'returned', stops: [{ status: 'completed' }] } })
  expect([(await view(fetched)).status, (await view(exchanged)).status]).toEqual(['collected', 'approved'])
}

it('fetches by itself what is at the door of a parcel that is held back, and takes along with the next run what is exchanged for that', async () => {
  const at = await broughtAndFetched()
  const { orderId, exchanged } = at
  const { holdId } = (await people.support<{ holdId: string }>('POST', `/v1/orders/${orderId}/holds`, { type: 'address', reason: 'the address looks wrong', blocks: ['shipping'] })).body
  await fetchesAlone(at, 'held')
  expect((await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})).status).toBe(200)
  const again = await underWay()
  expect(outcomesAt(again, orderId)).toEqual([['collect', exchanged, null, null], ['deliver', null, null, null]])
  await ring(again, orderId, 'done')
  await drive(again, 'return')
  expect(await view(exchanged)).toMatchObject({ status: 'collected' })
  expect(await people.until(orderId, (o) => o.lines[1]!.delivered === 1, 'the new goods')).toMatchObject({ money: { refundedMinor: 2_000, owedMinor: 0 } })
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['return.collected']))
})

it('comes another time for all of it where the driver left without the parcel and comes back without having been at the door', async () => {
  const { orderId, fetched, exchanged, run } = await broughtAndFetched()
  const { holdId } = (await people.support<{ holdId: string }>('POST', `/v1/orders/${orderId}/holds`, { type: 'address', reason: 'the address looks wrong', blocks: ['shipping'] })).body
  const back = (await drive(await leaves(run), 'return')).body
  expect(back).toMatchObject({ status: 'returned', stops: [{ status: 'dropped' }] })
  expect(outcomesAt(back, orderId)).toEqual([['collect', exchanged, 'dropped', null], ['collect', fetched, 'dropped', null], ['deliver', null, 'dropped', 'held']].sort())
  expect(await waiting()).toEqual([fetched])
  await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})
  const again = await underWay()
  expect(outcomesAt(again, orderId)).toEqual([['collect', exchanged, null, null], ['collect', fetched, null, null], ['deliver', null, null, null]].sort())
  await ring(again, orderId, 'done')
  await drive(again, 'return')
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 2_000, 'the money')).toMatchObject({ lines: [{ credited: 1 }, { delivered: 1 }] })
  expect([(await view(fetched)).status, (await view(exchanged)).status]).toEqual(['collected', 'collected'])
})

it('fetches by itself what is at the door of a parcel that was cancelled, and lets the customer keep what was to be exchanged for that', async () => {
  const at = await broughtAndFetched()
  const { orderId, exchanged } = at
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'she keeps the old one' })).toMatchObject({ status: 200 })
  await fetchesAlone(at, 'cancelled')
  expect(await people.shop('POST', `/v1/returns/${exchanged}/cancel`, {})).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  expect(await people.operations('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })).toMatchObject({ status: 409, body: { code: 'run.nothing_waits' } })
})

it('says that nobody can come where no position is known', async () => {
  const orderId = await delivered({ name: 'Customer', line1: 'Street 1', city: 'Nowhere', postalCode: '99999', country: 'DE' })
  expect(await fetchOf(orderId)).toMatchObject({ status: 409, body: { code: 'return.no_driver', instead: ['mail', 'store'] } })
  expect((await people.order(orderId)).returns).toEqual([])
})
