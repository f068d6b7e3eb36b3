/** The starter: turns accepted orders into running workflows, most urgent and oldest first. An acknowledged order cannot be lost: its row stays until its workflow has been started. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { leaseStarts, startDone, startFailed } from '../db/starts'
import { holdingBack, startPump, type Pump } from './pump'
import type { Threads } from './threads'

const leaseMs = 30_000
const retryMs = 1_000

export interface StarterOptions {
  db: Db
  threads: Pick<Threads, 'start'>
  log: Logger
  /** Starts under way at once; each costs Temporal several milliseconds, so a burst is a queue and not a pile of time-outs. */
  concurrency?: number
  idleMs?: number
  /** How long to hold back before the next start; in a burst, answering the channels comes first. */
  pauseMs?: () => number
  /** Takes only what somebody else has left: expired leases, and what nobody has taken for long. */
  leftoversOnly?: boolean
}

export function startStarter({ db, threads, log, concurrency = 4, idleMs = 1_000, pauseMs = () => 0, leftoversOnly = false }: StarterOptions): Pump {
  return startPump<{ orderId: string }>({
    name: 'starts',
    concurrency,
    idleMs,
    log,
    use: holdingBack(pauseMs),
    take: (limit) => leaseStarts(db, { limit, leaseMs, leftoversOnly }),
    handle: async ({ orderId }) => {
      try {
        await threads.start(orderId)
      } catch (error) {
        await startFailed(db, orderId, (error as Error).message, retryMs)
        return
      }
      await startDone(db, orderId)
    },
  })
}
