/** A worker is killed in the middle of moving money: before the call, after its effect, after our own row. Another one goes on, and there is one effect. */
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { heldAndTaken, parcels } from '../support/outside'
import { cuttingProxy, holdingProxy, type HoldingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

let system: System
let people: People
beforeEach(async () => {
  system = await startSystem({ worker: false, policies: { payment: { deadline: 'PT2M' } } })
  people = peopleOf(system)
}, 30_000)
afterEach(() => system?.stop())

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const patient = { timeoutMs: 60_000 }

/** The rest of the life, by a worker that knows nothing of the first one. */
async function goesOn(orderId: string): Promise<void> {
  const second = await startWorkerProcess(system.workerEnv)
  try {
    const { fulfillments } = await eventually(() => people.order(orderId), (o) => o.fulfillments.length === 1, patient)
    const [work] = fulfillments
    if (work!.status === 'released') await people.pickAll(work!)
    if (work!.packages.length === 0) await people.packAll(work!)
    const packed = await eventually(() => people.order(orderId), (o) => Boolean(o.shipments[0]?.trackingNumber), patient)
    if (packed.fulfillments[0]!.status === 'packed') await people.handOver(work!)
    await eventually(() => people.order(orderId), (o) => o.paymentStatus === 'captured', patient)
    await people.carrierSays(packed.shipments[0]!.trackingNumber!, 'delivered')
    expect(await eventually(() => people.order(orderId), (o) => !o.workflowOpen, patient)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
  } finally {
    await second.kill()
  }
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 1490, effects: 1 })
  const told = await people.told(orderId)
  for (const once of ['payment.authorized', 'order.sourced', 'shipment.labelled', 'payment.captured', 'order.completed']) expect(told.filter((type) => type === once)).toEqual([once])
}

async function withProxy(test: (proxy: HoldingProxy, first: WorkerProcess) => Promise<void>, temporal?: string): Promise<void> {
  const proxy = await holdingProxy(system.payments.url)
  const first = await startWorkerProcess({ ...system.workerEnv, STRIPE_BASE_URL: proxy.url, ...(temporal ? { TEMPORAL_ADDRESS: temporal } : {}) })
  try {
    await test(proxy, first)
  } finally {
    await first.kill()
    await proxy.close()
  }
}

it.each([
  ['before the authorisation gets there', /\/confirm$/, 'before'],
  ['after the authorisation, before its answer', /\/confirm$/, 'after'],
  ['after the payment was opened, before its answer', /\/payment_intents$/, 'after'],
] as const)('authorises once when the worker is killed %s', async (_when, path, point) => {
  let orderId = ''
  await withProxy(async (proxy, first) => {
    const held = proxy.hold(path, point)
    orderId = await people.place(socks)
    await held
    await first.kill()
    proxy.release()
  })
  await goesOn(orderId)
}, 120_000)

it('authorises once when the worker is killed after our own row, before Temporal hears of it', async () => {
  let orderId = ''
  const temporal = await cuttingProxy(process.env.TEST_TEMPORAL_ADDRESS!)
  await withProxy(async (proxy, first) => {
    const held = proxy.hold(/\/confirm$/, 'after')
    orderId = await people.place(socks)
    await held
    temporal.cut()
    proxy.release()
    await eventually(() => people.order(orderId), (o) => o.paymentStatus === 'authorized')
    await first.kill()
  }, temporal.address)
  await temporal.close()
  await goesOn(orderId)
}, 120_000)

it('captures once and buys one label when the worker is killed around the capture', async () => {
  let orderId = ''
  await withProxy(async (proxy, first) => {
    orderId = await people.place(socks)
    const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
    await people.pickAll(fulfillments[0]!)
    await people.packAll(fulfillments[0]!)
    const held = proxy.hold(/\/capture$/, 'after')
    await people.handOver(fulfillments[0]!)
    await held
    await first.kill()
    proxy.release()
  })
  await goesOn(orderId)
  expect(await parcels(system)).toHaveLength(1)
}, 120_000)
