/** Looks every minute whether something is stuck. A loop of the worker and not a workflow, because one of the things it watches is whether workflows get started at all. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { openForStuck } from '../db/watch'
import { startPump, type Pump } from './pump'

const everyMs = 60_000

export const startWatch = ({ db, log }: { db: Db; log: Logger }): Pump =>
  startPump<never>({
    name: 'watch',
    concurrency: 1,
    idleMs: everyMs,
    log,
    take: async () => {
      const stuck = await openForStuck(db)
      if (stuck > 0) log.warn({ stuck }, 'things are stuck: see the exception queue')
      return []
    },
    handle: () => Promise.resolve(),
  })
