/** What drivers, and those who speak for them, get wrong: a proof without a door, another driver's door, a door left out; and a driver of whom nothing is heard any more. */
import type { RunView } from '../../db/views/runs'
import { timestampedSignature } from '../../simulators/signature'
import { caller, eventually, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let mark: Call
let ada: Call
beforeAll(async () => {
  system = await startSystem({ policies: { last_mile: { waveSize: 50, waveWait: 'PT1H', returnWithin: 'PT0.6S', nextAttemptAfter: 'PT0.1S' } } })
  people = peopleOf(system)
  mark = caller(system.url, 'demo-courier-driver-mark')
  ada = caller(system.url, 'demo-courier-driver-ada')
  for (const name of ['mark', 'ada']) await people.operations('PUT', `/v1/drivers/driver-${name}`, { name, homeNodes: ['store-mitte'], shift: {}, vehicle: {} })
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function underWay(driverId: string, driver: Call): Promise<{ run: RunView; orderId: string }> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }], delivery: { method: 'delivery', service: 'own_driver' } })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  const planned = (await people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId })).body
  await driver('POST', `/v1/runs/${planned.runId}/accept`, {})
  return { run: (await driver<RunView>('POST', `/v1/runs/${planned.runId}/depart`, {})).body, orderId }
}
const complete = (run: RunView, stopId: string, tasks: object[], who: Call = mark): Promise<Answer> => who('POST', `/v1/runs/${run.runId}/stops/${stopId}/complete`, { tasks })
const proofs = async (): Promise<number> => Number((await system.db('delivery_proofs').count<{ count: string }[]>('* as count'))[0]!.count)

it('keeps no proof for a door that is none, or another driver’s, or not reported whole', async () => {
  const [mine, hers] = [await underWay('driver-mark', mark), await underWay('driver-ada', ada)]
  const [here, there] = [mine.run.stops[0]!, hers.run.stops[0]!]
  const proof = { name: 'Somebody', photoRef: 'photo-1' }
  const done = (taskId: string): object => ({ taskId, outcome: 'done', proof })
  expect(await complete(mine.run, '00000000-0000-7000-8000-000000000000', [done(here.tasks[0]!.taskId)])).toMatchObject({ status: 404, body: { code: 'stop.unknown' } })
  expect(await complete(mine.run, there.stopId, [done(there.tasks[0]!.taskId)])).toMatchObject({ status: 404, body: { code: 'stop.unknown' } })
  expect(await complete(hers.run, there.stopId, [done(there.tasks[0]!.taskId)])).toMatchObject({ status: 404, body: { code: 'run.unknown' } })
  expect(await complete(mine.run, here.stopId, [done(there.tasks[0]!.taskId)])).toMatchObject({ status: 400, body: { code: 'task.unknown' } })
  expect(await complete(mine.run, here.stopId, [])).toMatchObject({ status: 400, body: { code: 'request.invalid' } })
  expect(await complete(mine.run, here.stopId, [{ ...done(here.tasks[0]!.taskId), outcome: 'eaten' }])).toMatchObject({ status: 400, body: { code: 'request.invalid' } })
  expect(await proofs()).toBe(0)
  expect(await complete(mine.run, here.stopId, [done(here.tasks[0]!.taskId)])).toMatchObject({ status: 200 })
  expect(await complete(mine.run, here.stopId, [done(here.tasks[0]!.taskId)])).toMatchObject({ status: 409, body: { code: 'stop.completed' } })
  expect(await proofs()).toBe(1)
  await complete(hers.run, there.stopId, [{ taskId: there.tasks[0]!.taskId, outcome: 'done' }], ada)
  for (const [{ run }, who] of [[mine, mark], [hers, ada]] as const) await who('POST', `/v1/runs/${run.runId}/return`, {})
  for (const { orderId } of [mine, hers]) await people.until(orderId, (o) => !o.workflowOpen)
})

it('asks after a driver of whom nothing is heard, and settles that when he is back; what he did not bring goes out again', async () => {
  const { run, orderId } = await underWay('driver-mark', mark)
  const cases = async (status: string): Promise<string[]> =>
    (await people.operations<{ items: { kind: string; data: { runId?: string } }[] }>('GET', `/v1/exceptions?kind=run.not_returned&status=${status}`)).body.items.flatMap((e) => e.data.runId ?? [])
  await eventually(() => cases('open'), (open) => open.includes(run.runId), { what: 'somebody to ask' })
  expect(await people.order(orderId)).toMatchObject({ status: 'shipped', waitingOn: { what: 'delivery' } })
  expect(await mark('POST', `/v1/runs/${run.runId}/return`, {})).toMatchObject({ status: 200 })
  expect(await cases('open')).not.toContain(run.runId)
  const again = (await people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-ada' })).body
  expect(again.stops.map((s) => s.orderId)).toEqual([orderId])
  for (const action of ['accept', 'depart']) await ada('POST', `/v1/runs/${again.runId}/${action}`, {})
  await complete(again, again.stops[0]!.stopId, [{ taskId: again.stops[0]!.tasks[0]!.taskId, outcome: 'done' }], ada)
  await ada('POST', `/v1/runs/${again.runId}/return`, {})
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ delivered: 1 }] })
})

it('keeps what a carrier says of a parcel that nobody knows, and moves nothing by it', async () => {
  const before = await system.db('order_events').count<{ count: string }[]>('* as count')
  const { body, headers } = signedEvent('SP-NOT-OURS')
  const send = (): Promise<Response> => fetch(`${system.url}/v1/carriers/swiftparcel/events`, { method: 'POST', body, headers })
  expect([(await send()).status, (await send()).status]).toEqual([200, 200])
  const kept = await eventually(() => system.db('inbound_events').where({ source: 'carrier:swiftparcel', subject: 'SP-NOT-OURS' }), (rows: { status: string }[]) => rows.length === 1 && rows[0]!.status === 'kept', { what: 'the event to be kept' })
  expect(kept).toHaveLength(1)
  expect(await system.db('order_events').count('* as count')).toEqual(before)
})

/** As the carrier signs, about a parcel of somebody else. */
function signedEvent(trackingNumber: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify({ eventId: 'ev-not-ours', trackingNumber, status: 'delivered', at: new Date().toISOString() })
  return { body, headers: { 'content-type': 'application/json', 'carrier-signature': timestampedSignature(system.workerEnv.CARRIER_WEBHOOK_SECRET!, body, Math.floor(Date.now() / 1000)) } }
}
