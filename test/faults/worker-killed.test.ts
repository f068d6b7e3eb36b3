/** A worker is killed with one call under way: before it gets there, after its effect, after our own row. Another one goes on, and everything has happened once. */
import type { OrderView } from '../../db/views/orders'
import { eventually, peopleOf, type People } from '../support/people'
import { heldAndTaken, intentsOf, parcels } from '../support/outside'
import { expectInvariants } from '../support/invariants'
import { sampled } from '../support/property'
import { cuttingProxy, holdingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess } from '../support/worker-process'

let system: System
let people: People
beforeEach(async () => {
  system = await startSystem({ worker: false, policies: { payment: { deadline: 'PT2M' } } })
  people = peopleOf(system)
}, 30_000)
afterEach(() => system?.stop())

type Life = 'sold' | 'cancelled when packed'
interface Point {
  when: string
  party: 'payments' | 'carriers'
  path: RegExp
  at: 'before' | 'after'
  life: Life
  /** The answer is let through, and what Temporal should hear of it is not: killed once our own row says this. */
  rowSays?: OrderView['paymentStatus']
}

const authorising: Point[] = [
  { when: 'before the authorisation gets there', party: 'payments', path: /\/confirm$/, at: 'before', life: 'sold' },
  { when: 'after the authorisation, before its answer', party: 'payments', path: /\/confirm$/, at: 'after', life: 'sold' },
  { when: 'after our own row of the authorisation, before Temporal hears of it', party: 'payments', path: /\/confirm$/, at: 'after', life: 'sold', rowSays: 'authorized' },
]
const others: Point[] = [
  ...bothSides('the payment is opened', 'payments', /\/payment_intents$/, 'sold'),
  ...bothSides('the label is bought', 'carriers', /\/v1\/labels$/, 'sold'),
  ...bothSides('the money is captured', 'payments', /\/capture$/, 'sold'),
  ...bothSides('the carrier is told', 'carriers', /\/v1\/manifests$/, 'sold'),
  ...bothSides('the label is given back', 'carriers', /\/v1\/labels\/.+/, 'cancelled when packed'),
  ...bothSides('the authorisation is voided', 'payments', /\/cancel$/, 'cancelled when packed'),
  { when: 'after our own row of the capture, before Temporal hears of it', party: 'payments', path: /\/capture$/, at: 'after', life: 'sold', rowSays: 'captured' },
]

function bothSides(what: string, party: Point['party'], path: RegExp, life: Life): Point[] {
  return (['before', 'after'] as const).map((at) => ({ when: `${at} ${what}`, party, path, at, life }))
}

describe.each([...authorising, ...sampled(others, 2)])('killed $when', (point) => {
  it('everything has happened once when another worker has gone on', async () => {
    const orderId = await untilKilled(point)
    const second = await startWorkerProcess(system.workerEnv)
    try {
      await play(orderId, point.life, async () => !(await people.order(orderId)).workflowOpen)
      await expectInvariants(system)
    } finally {
      await second.kill()
    }
    await (point.life === 'sold' ? expectSoldOnce(orderId) : expectUndone(orderId))
  }, 150_000)
})

/** The life up to the point at which the first worker dies. */
async function untilKilled({ party, path, at, life, rowSays }: Point): Promise<string> {
  const proxies = { payments: await holdingProxy(system.payments.url), carriers: await holdingProxy(system.carriers.url) }
  const temporal = await cuttingProxy(process.env.TEST_TEMPORAL_ADDRESS!)
  const env = { ...system.workerEnv, STRIPE_BASE_URL: proxies.payments.url, CARRIER_BASE_URL: proxies.carriers.url, TEMPORAL_ADDRESS: temporal.address }
  const first = await startWorkerProcess(env)
  try {
    let isHeld = false
    void proxies[party].hold(path, at).then(() => (isHeld = true))
    const orderId = await people.place({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }] })
    await play(orderId, life, () => Promise.resolve(isHeld))
    if (rowSays) {
      temporal.cut()
      proxies[party].release()
      await eventually(() => people.order(orderId), (o) => o.paymentStatus === rowSays)
    }
    await first.kill()
    return orderId
  } finally {
    await first.kill()
    for (const proxy of Object.values(proxies)) {
      proxy.release()
      await proxy.close()
    }
    await temporal.close()
  }
}

/** Does whatever is to be done next, each once, until `enough`. Nobody waits for an answer: the worker it needs may be about to die. */
async function play(orderId: string, life: Life, enough: () => Promise<boolean>): Promise<void> {
  const done = new Set<string>()
  const act = async (): Promise<boolean> => {
    const [name, move] = nextMove(await people.order(orderId), life) ?? []
    if (name && !done.has(name) && !(await enough())) {
      done.add(name)
      move!().catch(() => undefined)
    }
    return enough()
  }
  await eventually(act, (isEnough) => isEnough, { timeoutMs: 90_000, what: `the life of order ${orderId}, so far ${[...done].join(', ')}` })
}

function nextMove(order: OrderView, life: Life): [name: string, move: () => Promise<unknown>] | undefined {
  const [work] = order.fulfillments
  const trackingNumber = order.shipments[0]?.trackingNumber
  if (!work) return undefined
  if (work.status === 'released') return ['pick', () => people.pickAll(work)]
  if (work.status === 'picked') return ['pack', () => people.packAll(work)]
  if (work.status === 'packed' && trackingNumber)
    return life === 'sold' ? ['hand over', () => people.handOver(work)] : ['cancel', () => people.support('POST', `/v1/orders/${order.orderId}/cancel`, { reason: 'customer' })]
  if (work.status === 'handed_over' && order.paymentStatus === 'captured') return ['deliver', () => people.carrierSays(trackingNumber!, 'delivered')]
  return undefined
}

async function expectSoldOnce(orderId: string): Promise<void> {
  expect(await people.order(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 1490, effects: 1 })
  expect((await parcels(system)).filter((p) => !p.voided)).toHaveLength(1)
  const told = await people.told(orderId)
  for (const once of ['payment.authorized', 'order.sourced', 'shipment.labelled', 'shipment.handed_over', 'payment.captured', 'order.completed'])
    expect(told.filter((type) => type === once)).toEqual([once])
}

async function expectUndone(orderId: string): Promise<void> {
  expect(await people.order(orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
  expect((await intentsOf(system, orderId)).map((i) => [i.status, i.capturedMinor])).toEqual([['canceled', 0]])
  expect((await parcels(system)).map((p) => p.voided)).toEqual([true])
  const told = await people.told(orderId)
  for (const once of ['order.cancelled', 'payment.voided']) expect(told.filter((type) => type === once)).toEqual([once])
}
