/**
 * A worker is killed at every step at which a gift card or store credit moves: in the middle of it, after it and before our own row of it, after our own row. Another one goes on; the account has
 * moved once, and the books say the same. As worker-killed-at-money.test.ts, but the provider is our own database, so the story stops the worker there.
 */
import { eventually, peopleOf } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { gateAt, type Gate } from '../support/gate'
import { moneyPolicies, newScene, type Scene } from '../support/money-steps'
import { sampled } from '../support/property'
import { cuttingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { valueSteps, type ValueStep } from '../support/value-steps'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

const points = ['in the middle of it', 'after its effect, before our own row', 'after our own row, before Temporal hears of it'] as const
type Point = (typeof points)[number]

/** What was held at intake has its effect already; what is credited has it with our own row. */
const has = ({ kind }: ValueStep, point: Point): boolean => !(kind === 'authorize' && point === points[0]) && !(kind === 'credit' && point === points[1])
const killings = valueSteps.flatMap((step) => points.filter((point) => has(step, point)).map((point) => ({ name: `${point}: ${step.name}`, step, point })))

let system: System
let first: WorkerProcess
let second: WorkerProcess | undefined
afterEach(async () => {
  await first?.kill()
  await second?.kill()
  second = undefined
  await system?.stop()
}, 30_000)

it.each(sampled(killings, 2))('killed $name', async ({ step, point }) => {
  system = await startSystem({ worker: false, policies: moneyPolicies })
  const scene = newScene(system, peopleOf(system))
  await untilKilled(scene, step, point)
  second = await startWorkerProcess(system.workerEnv)
  await step.done(scene)
  const open = (): Promise<object[]> => system.db('payment_operations').where({ order_id: scene.orderId }).whereIn('status', ['intended', 'unknown']).select('kind', 'status')
  await eventually(open, (found) => found.length === 0, { timeoutMs: 60_000, what: 'every outcome' })
  const [account, ...others] = await system.db('value_accounts').select({ balanceMinor: 'balance_minor', heldMinor: 'held_minor' })
  const moves = await system.db('value_moves').orderBy('move_id').select<{ kind: string; minor: number }[]>('kind', { minor: 'amount_minor' })
  expect({ ...account, moves: moves.map((m) => [m.kind, m.minor]) }).toEqual(step.after)
  expect(others).toEqual([])
  await expectInvariants(system)
}, 180_000)

/** The life up to the point at which the first worker dies. */
async function untilKilled(scene: Scene, step: ValueStep, point: Point): Promise<void> {
  const temporal = await cuttingProxy(process.env.TEST_TEMPORAL_ADDRESS!)
  let gate: Gate | undefined
  try {
    first = await startWorkerProcess({ ...system.workerEnv, TEMPORAL_ADDRESS: temporal.address })
    await step.lead(scene)
    gate = await gateAt(system.db, whereTo(step, point))
    void step.move(scene).catch(() => undefined)
    await gate.reached()
    if (point === points[2]) {
      temporal.cut()
      await gate.open()
      await eventually(() => recorded(scene, step), (known) => known, { timeoutMs: 30_000, what: 'our own row' })
    }
    await first.kill()
  } finally {
    await gate?.open()
    await temporal.close()
  }
}

/** The row that says it: the account's own hold before it is committed, or that of the payment. */
function whereTo({ kind }: ValueStep, point: Point): Parameters<typeof gateAt>[1] {
  if (kind === 'credit') return { table: 'value_moves', at: 'INSERT', when: `NEW.kind = 'credited'` }
  return { table: point === points[0] ? 'value_holds' : 'payments', at: 'UPDATE', when: '(OLD.status, OLD.captured_minor, OLD.refunded_minor) IS DISTINCT FROM (NEW.status, NEW.captured_minor, NEW.refunded_minor)' }
}

async function recorded({ system: { db }, orderId }: Scene, { kind }: ValueStep): Promise<boolean> {
  if (kind === 'credit') return (await db('value_moves').where({ kind: 'credited' })).length > 0
  return (await db('payment_operations').where({ order_id: orderId, kind, status: 'succeeded' })).length > 0
}
