/** What the workflows of the last mile ask: what waits, that a wave be closed, that orders be told, that somebody hear of a driver who is late. */
import { Context } from '@temporalio/activity'
import type { Db } from '../db/connection'
import { once } from '../db/effects'
import { waitingAt, type WaitingAt } from '../db/dispatch'
import { openRuns, tellingsOf, type OrderTelling } from '../db/runs'
import { offerToRun } from '../db/steps/extend-run'
import { reportLateRun } from '../db/steps/late-run'
import { problemOf, readWave, writeWaveRun } from '../db/steps/plan-wave'
import { planningMs, routesOf } from '../domain/delivery/plan-wave'
import type { Plan } from '../domain/delivery/routing/problem'
import { signals } from '../domain/messages'
import { inThread } from './in-thread'
import type { Distances } from './ports'
import type { RoutingTask } from './routing-thread'

export interface OrderTeller {
  /** @returns false when the order's workflow has closed. */
  tell(order: { channel: string; channelOrderId: string }, signal: string, fact: object): Promise<boolean>
}

const self = 'throughline'

export interface Fleet {
  db: Db
  orders: OrderTeller
  distances: Distances
  /** How a wave is planned: in a thread beside the workflows. */
  plan?: (task: RoutingTask) => Promise<Plan>
}

export function createFleetActivities({ db, orders, distances, plan = inItsThread }: Fleet) {
  return {
    /** What waits at a node now. */
    lookAtDispatch: ({ nodeId }: { nodeId: string }): Promise<WaitingAt> => waitingAt(db, nodeId),

    /**
     * Runs for all free drivers who are on their shift, planned together; each is written by itself, so that an attempt that follows a death goes on with the drivers and parcels that are left.
     * What finds no driver is offered to the runs that exist.
     * @returns how much still waits, and the runs of this attempt.
     */
    closeWave: async ({ nodeId }: { nodeId: string }): Promise<{ left: number; runs: string[] }> => {
      const wave = await readWave(db, nodeId, Date.now())
      const runs: string[] = []
      if (wave) {
        const problem = problemOf(wave, await distances.between([wave.depot, ...wave.drops], wave.pace))
        const planned = await plan({ problem, underway: false, milliseconds: planningMs(wave.drops.length), seed: 1 })
        for (const [vehicle, route] of routesOf(problem, planned).entries()) {
          if (route.length === 0) continue
          const runId = await db.transaction((tx) => writeWaveRun(tx, wave, { problem, vehicle, route, actor: self, now: Date.now() }))
          if (runId) runs.push(runId)
        }
      }
      // What is left is offered to who is on his way, or about to be.
      for (const runId of (await waitingAt(db, nodeId)).count > 0 ? await openRuns(db, nodeId) : []) await db.transaction((tx) => offerToRun(tx, { runId, actor: self, now: Date.now() }))
      return { left: (await waitingAt(db, nodeId)).count, runs }
    },

    /** Tells every order concerned by one step of a run; to be told twice changes nothing. */
    tellOrders: async ({ runId, number }: { runId: string; number: number }): Promise<number> => {
      const tellings = await tellingsOf(db, runId, number)
      await Promise.all(tellings.map(({ fact, signal, ...order }: OrderTelling) => orders.tell(order, signals[signal], fact)))
      return tellings.length
    },

    /** Somebody should ask where the driver is. */
    reportLateRun: (ask: { runId: string; what: 'not_departed' | 'not_returned' }): Promise<void> => once(db, `late-run:${ask.runId}:${ask.what}`, (tx) => reportLateRun(tx, ask)),
  }
}

const inItsThread = (task: RoutingTask): Promise<Plan> => inThread<Plan>('routing', task, { signal: Context.current().cancellationSignal })
