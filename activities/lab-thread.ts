/** What the policy lab computes, inside its thread (`in-thread.ts`): it reads what it needs by itself, so that the process around it stays free. */
import { workerData } from 'node:worker_threads'
import highsLoader from 'highs'
import pino from 'pino'
import { needBackTest } from '../db/back-tests'
import { factsOfChannel } from '../db/channel-policies'
import { connect, type Db } from '../db/connection'
import { policyDocument } from '../db/policies'
import { findReOptimisation, type Proposal } from '../db/re-optimisations'
import { readPeriod } from '../db/views/back-test'
import { sharedShelves, unpickedOrders, type UnpickedOrder } from '../db/views/open-orders'
import { sourcingFor, withinOwn } from '../domain/policy/channel-rules'
import type { SourcingPolicy } from '../domain/policy/sourcing'
import { underWay } from '../domain/promise/handling'
import { seeded } from '../domain/seeded'
import { backTest } from '../domain/sourcing/back-test'
import { reoptimise } from '../domain/sourcing/batch'
import { batchOrder, type OpenOrder } from '../domain/sourcing/batch-options'
import { batchPool } from '../domain/sourcing/batch-pool'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { highsSolver } from '../domain/sourcing/highs-solver'
import type { Carrier, CarrierService } from './ports'
import { createPromiseDesk, type PlanPromise } from './promise-desk'
import { say } from './thread-message'

export type LabTask = { databaseUrl: string } & ({ backTestId: string } | { reOptimisationId: string; services: readonly { carrier: string; services: readonly CarrierService[] }[] })

async function tested(db: Db, backTestId: string): Promise<unknown> {
  const { ask } = await needBackTest(db, backTestId)
  const period = await readPeriod(db, ask)
  const random = seeded(Number.parseInt(backTestId.slice(-8), 16))
  return backTest(period, { draft: ask.draft.document, against: ask.against.document, random, progress: (done) => say({ done }) })
}

/** More than a day of a large shop; what comes after waits for the next time. */
const mostOrders = 5_000

async function planned(db: Db, { reOptimisationId, services }: Extract<LabTask, { reOptimisationId: string }>): Promise<Proposal> {
  const { channel, policyVersion } = (await findReOptimisation(db, reOptimisationId))!
  const document = (await policyDocument(db, 'sourcing', policyVersion)).document as SourcingPolicy
  const facts = await factsOfChannel(db, channel)
  const policy = facts ? sourcingFor(document, facts) : document
  const found = await unpickedOrders(db, { channel, limit: mostOrders })
  const shelves = await sharedShelves(db, { channel, skus: [...new Set(found.flatMap((o) => o.lines.map((l) => l.sku)))] })
  const carriers = services.map(({ carrier, services: offered }) => ({ carrier, services: () => offered }) as unknown as Carrier)
  const promise = await createPromiseDesk({ db, carriers, log: pino({ level: 'silent' }) }).forPlans(channel)
  const open = found.map((order): OpenOrder => ({ orderId: order.orderId, ask: askOf(order), shipments: order.shipments, policy: withinOwn(policy, order.policies.sourcing) }))
  const pool = batchPool({ ...shelves, orders: open })
  const orders = open.map((order, i) => batchOrder(order, pool.candidates, (shipments) => keeps(promise, found[i]!, shipments)))
  const { groups, beforeMinor, afterMinor } = reoptimise({ orders, free: pool.free, room: shelves.room }, highsSolver(await highsLoader()))
  const byId = new Map(open.map((order, i) => [order.orderId, { from: order.shipments, costMinor: orders[i]!.costMinor }]))
  const moves = groups.flatMap((group, number) =>
    group.map(({ orderId, shipments, savesMinor }) => ({ group: number + 1, orderId, from: byId.get(orderId)!.from, to: shipments, costMinor: byId.get(orderId)!.costMinor - savesMinor, savesMinor })),
  )
  return { orders: open.length, beforeMinor, afterMinor, moves }
}

const askOf = ({ lines, destination, country, excluded }: UnpickedOrder): OpenOrder['ask'] => ({ lines, method: 'delivery', excluded, ...(destination && { destination }), ...(country && { country }) })

/** What was promised is still kept by the plan that would take its place, by the same arithmetic that promised it. */
function keeps(promise: PlanPromise, { promisedBy, country, postalCode, service, policies }: UnpickedOrder, shipments: readonly PlannedShipment[]): boolean {
  if (promisedBy === null) return true
  const then = promise({ method: 'delivery', ...(service !== null && { service }), destination: { country, postalCode }, shipments, policies: underWay(policies) }, Date.now())
  return then !== undefined && then.promisedBy <= promisedBy
}

async function main(task: LabTask): Promise<void> {
  const db = connect(task.databaseUrl, { poolMax: 2, applicationName: 'throughline lab' })
  try {
    say({ answer: 'backTestId' in task ? await tested(db, task.backTestId) : await planned(db, task) })
  } finally {
    await db.destroy()
  }
}

main(workerData as LabTask).catch((error: unknown) => {
  // A rejection that nobody handles ends the thread with this very error, which is what the other side hears.
  queueMicrotask(() => {
    throw error
  })
})
