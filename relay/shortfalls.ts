/** Takes back the newest unpicked claims on shelves that were counted below them, one order at a time, until every shelf holds what is claimed of it. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { leaseShortfalls } from '../db/shortfalls'
import { settleShortfall } from '../db/steps/settle-shortfall'
import { startPump, type Pump } from './pump'

const leaseMs = 30_000

export const startShortfalls = ({ db, log, idleMs = 500 }: { db: Db; log: Logger; idleMs?: number }): Pump =>
  startPump<{ sku: string; nodeId: string }>({
    name: 'shortfalls',
    concurrency: 1,
    idleMs,
    log,
    take: (limit) => leaseShortfalls(db, limit, leaseMs),
    handle: async (shelf) => {
      while (!(await db.transaction((tx) => settleShortfall(tx, shelf)))) continue
    },
  })
