/** Every fault of the provider at every step at which money moves: one effect each, the provider's books equal to ours to the cent, and nobody who has to look after it. */
import { eventually, peopleOf } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { exchangeSteps } from '../support/exchange-money-steps'
import { descriptionOf, moneyPolicies, moneySteps as orderSteps, newScene, type Holds, type MoneyStep, type Scene } from '../support/money-steps'
import { intentsOf, steer } from '../support/outside'
import { sampled } from '../support/property'
import { startSystem, type System } from '../support/system'

const moneySteps = [...orderSteps, ...exchangeSteps]

interface Fault {
  says: string
  /** Aims it at the one order, before its money moves. */
  aim(scene: Scene, step: MoneyStep): Promise<unknown>
  /** What happens once the call is under way. */
  then?(scene: Scene, step: MoneyStep): Promise<unknown>
}

const control = ({ system }: Scene, path: string, body: object, method?: string): Promise<void> => steer(system.payments.url, `/control/${path}`, body, method)
const fault = (scene: Scene, { operation }: MoneyStep, kind: string, more: object = {}): Promise<void> => control(scene, 'faults', { next: 1, kind, operation, about: descriptionOf(scene), ...more })
const copies = (scene: Scene, count: number): Promise<void> => control(scene, 'silences', { about: descriptionOf(scene), copies: count })

/** The first try has been made, and its key is more than a day old: the provider has forgotten it. */
async function aDayLater(scene: Scene, { kind }: MoneyStep): Promise<void> {
  const { db } = scene.system
  const tried = (): Promise<{ operation_id: string }[]> => db('payment_operations').where({ order_id: scene.orderId, kind, status: 'unknown' }).where('attempts', '>', 0).select('operation_id')
  const [operation] = await eventually(tried, (found) => found.length > 0, { timeoutMs: 60_000, what: 'the first try' })
  await db('payment_operations').where({ operation_id: operation!.operation_id }).update({ key_first_used_at: new Date(Date.now() - 25 * 3_600_000) })
  await control(scene, 'forgotten-keys', { prefix: operation!.operation_id })
}

const faults: readonly Fault[] = [
  { says: 'the provider answers after our time-out', aim: (scene, step) => fault(scene, step, 'slow', { delayMs: 2_000 }) },
  { says: 'the provider is dead for a while', aim: (scene) => control(scene, 'outage', { ms: 1_500, about: descriptionOf(scene) }) },
  { says: 'it is executed and the answer lost', aim: (scene, step) => fault(scene, step, 'timeout_after_effect') },
  { says: 'it is executed and answered with a 500', aim: (scene, step) => fault(scene, step, 'error_500', { afterEffect: true }) },
  { says: 'it is not executed and answered with a 500', aim: (scene, step) => fault(scene, step, 'error_500') },
  { says: 'the webhook comes before the answer', aim: (scene, step) => fault(scene, step, 'slow', { delayMs: 900 }) },
  { says: 'the webhook comes twice', aim: (scene) => copies(scene, 2) },
  { says: 'the answer is lost and the webhook never comes', aim: async (scene, step) => [await copies(scene, 0), await fault(scene, step, 'timeout_after_effect')] },
  {
    says: 'it was executed, and the key is older than a day',
    aim: async (scene, step) => [await copies(scene, 0), await fault(scene, step, 'timeout_after_effect')],
    then: aDayLater,
  },
  {
    says: 'it was not executed, and the key is older than a day',
    aim: (scene, step) => fault(scene, step, 'unheard', { next: 50 }),
    then: async (scene, step) => {
      await aDayLater(scene, step)
      await control(scene, `faults?about=${encodeURIComponent(descriptionOf(scene))}`, {}, 'DELETE')
    },
  },
]

/** Every step meets two of the faults, and every fault two steps or three; other pairs on the next run, and all of them in the long one. */
const chosen = sampled([...faults.keys()], 2).flatMap((shift) => moneySteps.map((step, i) => cellOf(step, faults[(i + shift) % faults.length]!)))

interface Cell {
  name: string
  step: MoneyStep
  fault: Fault
}
function cellOf(step: MoneyStep, f: Fault): Cell {
  return { name: `${step.name}, and ${f.says}`, step, fault: f }
}

const systems = {} as Record<Holds, System>
let ends = new Map<string, Promise<void>>()
beforeAll(async () => {
  systems['captured once'] = await startSystem({ policies: moneyPolicies })
  systems['captured in parts'] = await startSystem({ policies: moneyPolicies, multicapture: true })
  const turn = turns(12)
  ends = new Map(chosen.map((cell) => [cell.name, turn(() => play(cell))]))
  for (const end of ends.values()) end.catch(() => undefined) // each is looked at by its own test
}, 60_000)
afterAll(async () => {
  await Promise.allSettled(ends.values())
  for (const system of Object.values(systems)) {
    await expectInvariants(system)
    await system.stop()
  }
}, 120_000)

it.each(chosen.map((cell) => [cell.name]))('has one effect when %s', (name) => ends.get(name), 150_000)

async function play({ step, fault: f }: Cell): Promise<void> {
  const system = systems[step.holds]
  const scene = newScene(system, peopleOf(system))
  await step.lead(scene)
  await f.aim(scene, step)
  const moving = step.move(scene)
  if (f.then) await Promise.all([moving, moved(scene, f, step)])
  await moving
  await step.done(scene)
  await settled(scene)
  const intents = await intentsOf(system, scene.orderId)
  const sum = (of: (i: (typeof intents)[number]) => number): number => intents.reduce((total, i) => total + of(i), 0)
  const theirs = { authorizedMinor: sum((i) => i.authorizedMinor), capturedMinor: sum((i) => i.capturedMinor), refundedMinor: sum((i) => i.refundedMinor), holds: intents.filter((i) => i.authorizedMinor > 0).length }
  expect(theirs).toEqual(step.after)
  expect(await ours(scene)).toEqual(theirs)
  expect(await system.db('exceptions').where({ order_id: scene.orderId, resolved_at: null }).select('kind', 'summary')).toEqual([])
}

async function moved(scene: Scene, f: Fault, step: MoneyStep): Promise<void> {
  await eventually(() => Promise.resolve(scene.orderId), (orderId) => orderId !== '')
  await f.then!(scene, step)
}

/** Every operation of the order has an outcome. */
const settled = ({ system, orderId }: Scene): Promise<unknown> =>
  eventually(() => system.db('payment_operations').where({ order_id: orderId }).whereIn('status', ['intended', 'unknown']).select('kind', 'status'), (open) => open.length === 0, { timeoutMs: 30_000, what: 'every outcome' })

async function ours({ system, orderId }: Scene): Promise<MoneyStep['after']> {
  const { rows } = await system.db.raw<{ rows: MoneyStep['after'][] }>(
    `SELECT sum(authorized_minor)::int AS "authorizedMinor", sum(captured_minor)::int AS "capturedMinor",
       (sum(refunded_minor) - (SELECT coalesce(sum(amount_minor), 0) FROM returned_refunds r WHERE r.order_id = payments.order_id))::int AS "refundedMinor",
       count(*) FILTER (WHERE authorized_minor > 0)::int AS holds FROM payments WHERE order_id = ? GROUP BY payments.order_id`,
    [orderId],
  )
  return rows[0]!
}

/** Many at once, and no more than that. */
function turns(atOnce: number): (work: () => Promise<void>) => Promise<void> {
  let free = atOnce
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
