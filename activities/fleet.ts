/** What the workflows of the last mile ask: what waits, that a wave be closed, that orders be told, that somebody hear of a driver who is late. */
import type { Db } from '../db/connection'
import { once } from '../db/effects'
import { waitingAt, type WaitingAt } from '../db/dispatch'
import { tellingsOf, type OrderTelling } from '../db/runs'
import { reportLateRun } from '../db/steps/late-run'
import { planRun } from '../db/steps/plan-run'
import { freeDrivers } from '../db/views/runs'
import { signals } from '../domain/messages'
import { Refusal } from '../domain/refusals'

export interface OrderTeller {
  /** @returns false when the order's workflow has closed. */
  tell(order: { channel: string; channelOrderId: string }, signal: string, fact: object): Promise<boolean>
}

const self = 'throughline'

export function createFleetActivities(db: Db, orders: OrderTeller) {
  return {
    /** What waits at a node now. */
    lookAtDispatch: ({ nodeId }: { nodeId: string }): Promise<WaitingAt> => waitingAt(db, nodeId),

    /** Runs for the free drivers who are on their shift, one after the other, until nothing that waits can be taken. @returns what is left, and for whom there is no driver. */
    closeWave: async ({ nodeId }: { nodeId: string }): Promise<{ left: number; runs: string[] }> => {
      const runs: string[] = []
      for (const driverId of await freeDrivers(db, nodeId)) {
        const runId = await planned(db, { nodeId, driverId })
        if (runId) runs.push(runId)
      }
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

/** A driver who got busy meanwhile, or whom nothing fits, is passed over. */
async function planned(db: Db, ask: { nodeId: string; driverId: string }): Promise<string | undefined> {
  try {
    return await db.transaction((tx) => planRun(tx, { ...ask, actor: self, now: Date.now(), withinShift: true }))
  } catch (cause) {
    if (cause instanceof Refusal && cause.code.startsWith('run.')) return undefined
    throw cause
  }
}
