/** The last mile by own drivers: from packed to the door, on one trip with others; and what happens when nobody is in, or the driver never leaves. */
import type { OrderView } from '../../db/views/orders'
import type { RunView } from '../../db/views/runs'
import { runWorkflowId } from '../../domain/ids'
import { caller, eventually, nearMitte, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let mark: Call
let ada: Call
beforeAll(async () => {
  system = await startSystem({ policies: { last_mile: { waveSize: 50, waveWait: 'PT1H', nextAttemptAfter: 'PT0.2S' } } })
  people = peopleOf(system)
  mark = caller(system.url, 'demo-courier-driver-mark')
  ada = caller(system.url, 'demo-courier-driver-ada')
  await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: { kind: 'van', maxParcels: 60, maxWeightGrams: 400_000 } })
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const ownDriver = { method: 'delivery', service: 'own_driver', nodeId: 'store-mitte' }

/** An order that is packed and waits for a driver. */
async function packed(shipTo: Record<string, unknown> = nearMitte): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ delivery: ownDriver, lines: [{ sku, quantity: 1 }], shipTo })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  expect(await people.packAll(work!)).toMatchObject({ status: 200, body: { allowedActions: [], packages: [{ carrier: 'own-fleet' }] } })
  return orderId
}
const door = (north: number): Record<string, unknown> => ({ ...nearMitte, latitude: 52.5251 + north })
const store = (): Call => people.store('store-mitte')
const plan = (body: object = { driverId: 'driver-mark' }): Promise<Answer<RunView>> => store()<RunView>('POST', '/v1/nodes/store-mitte/runs', body)
const step = (run: RunView, action: string, body: object = {}, who: Call = mark): Promise<Answer<RunView>> => who<RunView>('POST', `/v1/runs/${run.runId}/${action}`, body)
const ring = (run: RunView, sequence: number, outcome: string, more: object = {}): Promise<Answer<RunView>> => {
  const stop = run.stops.find((s) => s.sequence === sequence)!
  return step(run, `stops/${stop.stopId}/complete`, { tasks: stop.tasks.map((t) => ({ taskId: t.taskId, outcome, ...more })) })
}
async function underWay(): Promise<RunView> {
  const planned = await plan()
  expect(planned.status).toBe(201)
  await step(planned.body, 'accept')
  const left = await step(planned.body, 'depart')
  expect(left).toMatchObject({ status: 200, body: { status: 'departed' } })
  return left.body
}

it('brings three parcels on one trip, the nearest door first, and everybody sees where it is', async () => {
  const [far, near, middle] = [await packed(door(0.03)), await packed(door(0.005)), await packed(door(0.015))]
  const waiting = await store()<{ items: { orderId: string }[] }>('GET', '/v1/nodes/store-mitte/dispatch')
  expect(waiting.body.items.map((i) => i.orderId).sort()).toEqual([far, near, middle].sort())
  expect(await people.store('store-mitte')('POST', `/v1/fulfillments/${(await people.order(near)).fulfillments[0]!.fulfillmentId}/hand-over`, {})).toMatchObject({ status: 409, body: { code: 'fulfillment.state' } })
  const planned = await plan()
  expect(planned.body.stops.map((s) => s.orderId)).toEqual([near, middle, far])
  expect(planned.body.savedMeters).toBeGreaterThan(0)
  expect(await plan()).toMatchObject({ status: 409, body: { code: 'run.driver_busy' } })
  expect(await people.order(near)).toMatchObject({ shipments: [{ run: { stop: 1, of: 3, status: 'planned' } }] })
  expect(await step(planned.body, 'depart')).toMatchObject({ status: 409, body: { code: 'run.state', state: 'planned' } })
  expect(await step(planned.body, 'accept', {}, ada)).toMatchObject({ status: 404 })
  await step(planned.body, 'accept')
  const left = (await step(planned.body, 'depart')).body
  await people.until(near, (o) => o.paymentStatus === 'captured')
  expect(await people.order(far)).toMatchObject({ status: 'shipped', shipments: [{ status: 'out_for_delivery', run: { stop: 3, of: 3, status: 'departed' } }] })
  const etas = left.stops.map((s) => s.etaFrom!)
  expect(etas).toEqual([...etas].sort())

  const { run } = (await people.order(near)).shipments[0]!
  const page = await fetch(system.url + run!.trackingPath)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const html = await page.text()
  expect(html).toContain('Stop 1 of 3')
  const { etaFrom, etaTo } = left.stops[0]!
  const inBerlin = (iso: string | null): string => new Date(iso!).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
  expect(html).toContain(`<title>Arrives ${inBerlin(etaFrom)}–${inBerlin(etaTo)}</title>`)
  const wrong = await fetch(`${system.url}/t/unknown`)
  expect([wrong.status, await wrong.text()]).toEqual([404, expect.stringContaining('No delivery here')])
  for (const personal of ['Street 1', '10115', 'customer@example.com']) expect(html).not.toContain(personal)

  const rung = await ring(left, 1, 'done', { proof: { name: 'Customer', photoRef: 'photo-1' } })
  expect(rung.body.stops.map((s) => s.status)).toEqual(['completed', 'pending', 'pending'])
  expect(await ring(left, 1, 'done')).toMatchObject({ status: 409, body: { code: 'stop.completed' } })
  await people.until(near, (o) => !o.workflowOpen)
  await ring(left, 2, 'done')
  await ring(left, 3, 'done')
  expect(await step(left, 'return')).toMatchObject({ status: 200, body: { status: 'returned' } })
  for (const orderId of [near, middle, far]) expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured' })
  expect(await people.told(near)).toEqual(expect.arrayContaining(['shipment.planned', 'shipment.handed_over', 'shipment.out_for_delivery', 'shipment.delivered']))
})

it('tries again when nobody was in, and brings it back for good after the last attempt', async () => {
  const orderId = await packed()
  const first = await underWay()
  await ring(first, 1, 'failed', { reason: 'nobody in' })
  await step(first, 'return')
  const again = await eventually(() => plan(), (answer) => answer.status === 201)
  await step(again.body, 'accept')
  await step(again.body, 'depart')
  await ring(again.body, 1, 'failed')
  await step(again.body, 'return')
  const back = await people.until(orderId, (o) => o.fulfillments[0]!.status === 'returned')
  expect(back).toMatchObject({ lines: [{ shipped: 0, delivered: 0, cancelled: 1 }] })
  const attempts = (await people.told(orderId)).filter((t) => t === 'shipment.attempt_failed' || t === 'shipment.undelivered')
  expect(attempts).toEqual(['shipment.attempt_failed', 'shipment.attempt_failed', 'shipment.undelivered'])
  await people.until(orderId, (o) => o.money.refundedMinor === 1_490, 'the money')
  expect(await plan()).toMatchObject({ status: 409, body: { code: 'run.nothing_waits' } })
})

it('leaves behind what was cancelled while the driver loaded', async () => {
  const [stays, goes] = [await packed(door(0.01)), await packed(door(0.02))]
  const planned = await plan()
  expect(await people.support('POST', `/v1/orders/${stays}/cancel`, { reason: 'changed her mind' })).toMatchObject({ status: 200 })
  await step(planned.body, 'accept')
  const left = await step(planned.body, 'depart')
  expect(left.body.stops.map((s) => [s.orderId === stays, s.status])).toEqual([[true, 'dropped'], [false, 'pending']])
  await ring(left.body, 2, 'done')
  await step(left.body, 'return')
  expect(await people.until(goes, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed' })
  expect(await people.until(stays, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', lines: [{ shipped: 0 }] })
})

it('asks where a door is that nobody knows, and brings it once somebody has said so', async () => {
  const orderId = await packed({ name: 'Customer', line1: 'Street 2', city: 'Berlin', postalCode: '13 129', country: 'DE' })
  expect((await store()<{ items: object[] }>('GET', '/v1/nodes/store-mitte/dispatch')).body.items).toMatchObject([{ orderId, status: 'parked' }])
  expect(await people.operations('PUT', '/v1/geocodes/DE/13129', { latitude: 52.59, longitude: 13.45 })).toMatchObject({ status: 200, body: { moved: 1 } })
  const left = await underWay()
  expect(await step(left, `stops/${left.stops[0]!.stopId}/complete`, { tasks: [{ taskId: left.runId, outcome: 'done' }] })).toMatchObject({ status: 400, body: { code: 'task.unknown' } })
  await ring(left, 1, 'done')
  await step(left, 'return')
  await people.until(orderId, (o: OrderView) => !o.workflowOpen)
})

it('sends again what the driver neither delivered nor brought back', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ delivery: ownDriver, lines: [{ sku, quantity: 1 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  const left = await underWay()
  await step(left, 'return', { missing: [work!.fulfillmentId] })
  const again = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(again.fulfillments.map((f) => f.status)).toEqual(['lost', 'released'])
  await people.pickAll(again.fulfillments[1]!)
  await people.packAll(again.fulfillments[1]!)
  const next = await underWay()
  await ring(next, 1, 'done')
  await step(next, 'return')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ delivered: 1 }], money: { capturedMinor: 1_490 } })
})

it('takes a late parcel along as long as the driver loads, and gives nobody who was told a time a later one', async () => {
  const [far, farther] = [await packed(door(0.03)), await packed(door(0.04))]
  const { body: planned } = await plan()
  expect(planned.stops.map((s) => s.orderId)).toEqual([far, farther])
  const nothing = { status: 409, body: { code: 'run.nothing_waits', waiting: 0 } }
  const extend = (): Promise<Answer<RunView>> => step(planned, 'extend', {}, store())
  expect(await extend()).toMatchObject(nothing)
  const onTheWay = await packed(door(0.02))
  await step(planned, 'accept')
  const longer = (await extend()).body
  expect(longer.stops.map((s) => s.orderId)).toEqual([onTheWay, far, farther])
  expect(longer.stops.map((s) => s.sequence)).toEqual([1, 2, 3])
  expect(longer.distanceMeters - planned.distanceMeters).toBeLessThan(50)
  for (const stop of planned.stops) expect(longer.stops.find((s) => s.stopId === stop.stopId)!.etaFrom! <= stop.etaTo!).toBe(true)
  expect(await people.order(onTheWay)).toMatchObject({ shipments: [{ run: { stop: 1, of: 3, status: 'accepted' } }] })
  const wayOff = await packed(door(-0.3))
  expect((await extend()).body.stops.map((s) => s.orderId)).toEqual([onTheWay, far, farther, wayOff]) // the shortest way would begin with it
  const left = (await step(planned, 'depart')).body
  const tooLate = await packed(door(0.035))
  expect(await extend()).toMatchObject(nothing) // no parcel comes to a driver who is out
  for (const sequence of [1, 2, 3, 4]) await ring(left, sequence, 'done')
  await step(left, 'return')
  expect(await extend()).toMatchObject({ status: 409, body: { code: 'run.state', state: 'returned' } })
  const last = await underWay()
  expect(last.stops.map((s) => s.orderId)).toEqual([tooLate])
  await ring(last, 1, 'done')
  await step(last, 'return')
})

it('keeps the history of a run short that rings at forty doors', async () => {
  const orders = await Promise.all(Array.from({ length: 40 }, (_, i) => packed(door(0.001 * i))))
  const left = await underWay()
  expect(left.stops).toHaveLength(40)
  for (const { sequence } of left.stops) expect(await ring(left, sequence, 'done')).toMatchObject({ status: 200 })
  await step(left, 'return')
  for (const orderId of orders) await people.until(orderId, (o) => !o.workflowOpen)
  const thread = system.client.workflow.getHandle(`${runWorkflowId(left)}:${system.queuePrefix.replace(/-$/, '')}`)
  const ended = await eventually(() => thread.describe(), (run) => run.status.name === 'COMPLETED')
  expect(ended.historyLength).toBeLessThan(1_000)
}, 120_000)

describe('a dispatcher', () => {
  let hasty: System
  let there: People
  beforeAll(async () => {
    hasty = await startSystem({ policies: { last_mile: { waveSize: 2, waveWait: 'PT0.3S', departWithin: 'PT0.5S' } } })
    there = peopleOf(hasty)
    await there.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: {} })
  })
  afterAll(async () => {
    await expectInvariants(hasty)
    await hasty.stop()
  })

  it('closes a wave by itself, asks after a driver who does not leave, and gives his parcels to another run', async () => {
    const sku = await there.stocked({ 'store-mitte': 2 })
    const orderId = await there.place({ delivery: ownDriver, lines: [{ sku, quantity: 1 }] })
    const [work] = (await there.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
    await there.pickAll(work!)
    await there.packAll(work!)
    const runs = (): Promise<Answer<{ items: RunView[] }>> => there.operations<{ items: RunView[] }>('GET', '/v1/runs?nodeId=store-mitte')
    const [run] = (await eventually(runs, ({ body }) => body.items.length === 1)).body.items
    expect(run).toMatchObject({ status: 'planned', driverId: 'driver-mark', stops: [{ orderId }] })
    const late = (): Promise<Answer<{ items: { data: { runId: string } }[] }>> => there.operations('GET', '/v1/exceptions?kind=run.not_departed')
    await eventually(late, ({ body }) => body.items.some((e) => e.data.runId === run!.runId))
    await there.operations('POST', `/v1/runs/${run!.runId}/cancel`, {})
    const [next] = (await eventually(runs, ({ body }) => body.items[0]!.runId !== run!.runId)).body.items
    expect(next).toMatchObject({ status: 'planned', number: 2, stops: [{ orderId }] })
    const driver = caller(hasty.url, 'demo-courier-driver-mark')
    for (const action of ['accept', 'depart']) await driver('POST', `/v1/runs/${next!.runId}/${action}`, {})
    await driver('POST', `/v1/runs/${next!.runId}/stops/${next!.stops[0]!.stopId}/complete`, { tasks: [{ taskId: next!.stops[0]!.tasks[0]!.taskId, outcome: 'done' }] })
    await driver('POST', `/v1/runs/${next!.runId}/return`, {})
    expect(await there.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed' })
  })
})
