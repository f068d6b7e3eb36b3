/** A wave for several drivers at once: planned together, written one by one, and right whatever happens between the two. */
import { createFleetActivities } from '../../activities/fleet'
import type { Distances } from '../../activities/ports'
import { byAir } from '../../adapters/roads/by-air'
import { inThread } from '../../activities/in-thread'
import type { RoutingTask } from '../../activities/routing-thread'
import type { RunView } from '../../db/views/runs'
import type { Plan } from '../../domain/delivery/routing/problem'
import { nearMitte, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { last_mile: { waveWait: 'PT10H', waveSize: 500 } } })
  people = peopleOf(system)
  const vehicle = { kind: 'van', maxParcels: 3 }
  for (const driver of ['mark', 'ada']) expect((await people.operations('PUT', `/v1/drivers/driver-${driver}`, { name: driver, homeNodes: ['store-mitte'], shift: {}, vehicle })).status).toBeLessThan(300)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})
/** What is on a run goes back to wait, for the next tale. */
afterEach(async () => {
  for (const run of await runs()) if (run.status === 'planned') await people.operations('POST', `/v1/runs/${run.runId}/cancel`, {})
  for (const { orderId } of await waiting()) await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  expect(await waiting()).toEqual([])
})

const nodeId = 'store-mitte'
const runs = async (): Promise<RunView[]> => (await people.operations<{ items: RunView[] }>('GET', `/v1/runs?nodeId=${nodeId}`)).body.items
const planned = async (): Promise<RunView[]> => (await runs()).filter((r) => r.status === 'planned')
const waiting = async (): Promise<{ orderId: string }[]> => (await people.store(nodeId)<{ items: { orderId: string }[] }>('GET', `/v1/nodes/${nodeId}/dispatch`)).body.items
const inItsThread = (task: RoutingTask): Promise<Plan> => inThread<Plan>('routing', task, { signal: new AbortController().signal })
const nobody = { tell: () => Promise.resolve(true) }
/** Closes the wave; `meanwhile` happens when the plan is made and nothing of it is written. */
const close = (meanwhile: () => Promise<unknown> = () => Promise.resolve(), distances: Distances = byAir): Promise<{ left: number; runs: string[] }> =>
  createFleetActivities({
    db: system.db,
    orders: nobody,
    distances,
    plan: async (task) => {
      const plan = await inItsThread(task)
      await meanwhile()
      return plan
    },
  }).closeWave({ nodeId })

async function packed(north: number): Promise<string> {
  const sku = await people.stocked({ [nodeId]: 1 })
  const orderId = await people.place({ delivery: { method: 'delivery', service: 'own_driver', nodeId }, lines: [{ sku, quantity: 1 }], shipTo: { ...nearMitte, latitude: 52.5251 + north } })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  return orderId
}
const bothSides = (): Promise<string[]> => Promise.all([0.01, 0.012, 0.014, -0.02, -0.022].map(packed))
const doors = (run: RunView): string[] => run.stops.map((s) => s.orderId)

it('sends each driver to one side of the town, and says truly what that spares', async () => {
  const orders = await bothSides()
  expect(await close()).toMatchObject({ left: 0, runs: [expect.any(String), expect.any(String)] })
  const both = await planned()
  expect(both.map((r) => r.driverId).sort()).toEqual(['driver-ada', 'driver-mark'])
  expect(both.map((r) => doors(r).sort().join()).sort()).toEqual([orders.slice(0, 3), orders.slice(3)].map((side) => [...side].sort().join()).sort())
  for (const run of both) {
    expect(run.savedMeters).toBeGreaterThan(0)
    const etas = run.stops.map((s) => s.etaFrom!)
    expect(etas).toEqual([...etas].sort())
  }
})

it('leaves out what was cancelled and passes over a driver who got busy while it was planned', async () => {
  const orders = await bothSides()
  let gone = ''
  const answer = await close(async () => {
    gone = orders[0]!
    await people.support('POST', `/v1/orders/${gone}/cancel`, { reason: 'changed her mind' })
    expect((await people.store(nodeId)('POST', `/v1/nodes/${nodeId}/runs`, { driverId: 'driver-mark', maxStops: 1 })).status).toBe(201)
  })
  expect(answer.runs).toHaveLength(1)
  const both = await planned()
  const served = both.flatMap(doors)
  expect(new Set(served).size).toBe(served.length)
  expect(served).not.toContain(gone)
  const left = (await waiting()).map((w) => w.orderId)
  expect(left).toHaveLength(answer.left)
  expect([...served, ...left].sort()).toEqual(orders.slice(1).sort())
})

it('goes on with the drivers and parcels that are left when it dies between two runs', async () => {
  const orders = await bothSides()
  const died = new Error('killed')
  let written = 0
  const dying = new Proxy(system.db, {
    get: (db, name) => (name === 'transaction' ? (...ask: Parameters<typeof db.transaction>) => (written++ > 0 ? Promise.reject(died) : db.transaction(...ask)) : Reflect.get(db, name)) as unknown,
  })
  await expect(createFleetActivities({ db: dying, orders: nobody, distances: byAir, plan: inItsThread }).closeWave({ nodeId })).rejects.toBe(died)
  expect(await planned()).toHaveLength(1)
  await close()
  const both = await planned()
  expect(both).toHaveLength(2)
  expect(both.flatMap(doors).sort()).toEqual([...orders].sort())
})

it('writes no parcel on two runs when it runs twice at once', async () => {
  const orders = await bothSides()
  await Promise.all([close(), close()])
  const served = (await planned()).flatMap(doors)
  expect(new Set(served).size).toBe(served.length)
  expect([...served, ...(await waiting()).map((w) => w.orderId)].sort()).toEqual([...orders].sort())
})

it('goes by the ways that a road server knows, in what it plans and in what it tells', async () => {
  await packed(0.01)
  /** Everything is three times as far and four times as slow as by the straight line. */
  const hilly: Distances = {
    between: async (places, pace) => {
      const { size, meters, seconds } = await byAir.between(places, pace)
      return { size, meters: meters.map((m) => 3 * m), seconds: seconds.map((s) => 4 * s) }
    },
  }
  const expected = async (distances: Distances): Promise<{ meters: number; minutes: number }> => {
    await close(undefined, distances)
    const [run] = await planned()
    await people.operations('POST', `/v1/runs/${run!.runId}/cancel`, {})
    return { meters: run!.distanceMeters, minutes: (Date.parse(run!.stops[0]!.etaFrom!) - Date.parse(run!.plannedAt)) / 60_000 }
  }
  const [flat, steep] = [await expected(byAir), await expected(hilly)]
  expect(steep.meters).toBe(3 * flat.meters)
  expect(steep.minutes).toBeGreaterThan(flat.minutes)
})
