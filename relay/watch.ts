/** Looks every minute whether something is stuck, or about to run out. A loop of the worker and not a workflow, because one of the things it watches is whether workflows get started at all. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { tellOfExpiringHolds } from '../db/expiring-holds'
import { openForStuck } from '../db/watch'
import { startPump, type Pump } from './pump'

export const startWatch = ({ db, log, everyMs = 60_000 }: { db: Db; log: Logger; everyMs?: number }): Pump =>
  startPump<never>({
    name: 'watch',
    concurrency: 1,
    idleMs: everyMs,
    log,
    take: async () => {
      const stuck = await openForStuck(db)
      if (stuck > 0) log.warn({ stuck }, 'things are stuck: see the exception queue')
      const expiring = await tellOfExpiringHolds(db)
      if (expiring > 0) log.info({ expiring }, 'holds run out before their goods leave: they are held anew')
      return []
    },
    handle: () => Promise.resolve(),
  })
