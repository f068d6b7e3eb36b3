/** A worker is killed at every step at which money moves: before its call gets there, after its effect, after our own row of it. Another one goes on, and the money has moved once. */
import { eventually, peopleOf } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { exchangeSteps } from '../support/exchange-money-steps'
import { moneyPolicies, moneySteps, newScene, type MoneyStep, type Scene } from '../support/money-steps'
import { intentsOf } from '../support/outside'
import { sampled } from '../support/property'
import { cuttingProxy, holdingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

type Point = 'before the call gets there' | 'after its effect, before the answer' | 'after our own row, before Temporal hears of it'
const points: readonly Point[] = ['before the call gets there', 'after its effect, before the answer', 'after our own row, before Temporal hears of it']

const killings = [...moneySteps, ...exchangeSteps].flatMap((step) => points.map((point) => ({ name: `${point}: ${step.name}`, step, point })))

let system: System
let first: WorkerProcess
let second: WorkerProcess | undefined
afterEach(async () => {
  await first?.kill()
  await second?.kill()
  second = undefined
  await system?.stop()
}, 30_000)

it.each(sampled(killings, 3))('killed $name', async ({ step, point }) => {
  system = await startSystem({ worker: false, policies: moneyPolicies, ...(step.holds === 'captured in parts' && { multicapture: true }) })
  const scene = newScene(system, peopleOf(system))
  await untilKilled(scene, step, point)
  second = await startWorkerProcess(system.workerEnv)
  await step.done(scene)
  const open = (): Promise<object[]> => system.db('payment_operations').where({ order_id: scene.orderId }).whereIn('status', ['intended', 'unknown']).select('kind', 'status')
  await eventually(open, (found) => found.length === 0, { timeoutMs: 60_000, what: 'every outcome' })
  const intents = await intentsOf(system, scene.orderId)
  const sum = (of: (i: (typeof intents)[number]) => number): number => intents.reduce((total, i) => total + of(i), 0)
  expect({ authorizedMinor: sum((i) => i.authorizedMinor), capturedMinor: sum((i) => i.capturedMinor), refundedMinor: sum((i) => i.refundedMinor), holds: intents.filter((i) => i.authorizedMinor > 0).length }).toEqual(step.after)
  await expectInvariants(system)
}, 180_000)

/** The life up to the point at which the first worker dies. */
async function untilKilled(scene: Scene, step: MoneyStep, point: Point): Promise<void> {
  const provider = await holdingProxy(system.payments.url)
  const temporal = await cuttingProxy(process.env.TEST_TEMPORAL_ADDRESS!)
  try {
    first = await startWorkerProcess({ ...system.workerEnv, STRIPE_BASE_URL: provider.url, TEMPORAL_ADDRESS: temporal.address })
    await step.lead(scene)
    const reached = provider.hold(step.path, point === points[0] ? 'before' : 'after')
    void step.move(scene).catch(() => undefined)
    await reached
    if (point === points[2]) {
      temporal.cut()
      provider.release()
      await eventually(() => recorded(scene, step), (known) => known, { timeoutMs: 30_000, what: 'our own row' })
    }
    await first.kill()
  } finally {
    provider.release()
    await provider.close()
    await temporal.close()
  }
}

/** Of opening a payment our row has the reference; of anything else its operation has its outcome. */
async function recorded({ system: { db }, orderId }: Scene, { operation, kind }: MoneyStep): Promise<boolean> {
  if (operation === 'open') return (await db('payments').where({ order_id: orderId }).whereNotNull('reference')).length > 0
  const waits = await db('payment_operations').where({ order_id: orderId, kind }).whereIn('status', ['intended', 'unknown'])
  const done = await db('payment_operations').where({ order_id: orderId, kind, status: 'succeeded' })
  return waits.length === 0 && done.length > 0
}
