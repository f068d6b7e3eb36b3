/**
 * Tells orders that stock they wait for has come: the most urgent first, then the oldest, one after the other, and only those that could have it now.
 * Each sources itself when told; the next is looked at when that is done, so that units go to whoever is first in line.
 */
import type { Logger } from 'pino'
import { beginTurn, couldBeSourced, endTurn, hasTried, nextInLine, takeTurns, type Waiting } from '../db/arrivals'
import type { Db } from '../db/connection'
import { signals, type StockArrived } from '../domain/messages'
import { startPump, type Pump } from './pump'
import type { Threads } from './threads'

const leaseMs = 60_000
/** A turn ends in good time before its lease does; who has not been told yet is found by the next one. */
const turnMs = 30_000
const againMs = 250
const retryMs = 1_000
const pollMs = 25

export interface ArrivalsOptions {
  db: Db
  threads: Pick<Threads, 'tell'>
  log: Logger
  idleMs?: number
  /** How long the next in line waits for an order that was told and does not try. */
  attemptMs?: number
}

export function startArrivals({ db, threads, log, idleMs = 500, attemptMs = 3_000 }: ArrivalsOptions): Pump {
  /** Until it has tried, or long enough. */
  const tried = async (order: Waiting): Promise<void> => {
    const until = Date.now() + attemptMs
    while (Date.now() < until && !(await hasTried(db, order))) await new Promise((resolve) => setTimeout(resolve, pollMs))
  }

  /** @returns whether the end of the line was reached. */
  const tellAll = async (sku: string): Promise<boolean> => {
    const until = Date.now() + turnMs
    for (let last = await nextInLine(db, sku, undefined); last; last = await nextInLine(db, sku, last)) {
      if (Date.now() > until) return false
      if (!(await couldBeSourced(db, last.orderId))) continue
      if (await threads.tell(last, signals.stockArrived, { sku } satisfies StockArrived)) await tried(last)
    }
    return true
  }

  return startPump<{ sku: string }>({
    name: 'arrivals',
    concurrency: 2,
    idleMs,
    log,
    take: (limit) => takeTurns(db, limit, leaseMs),
    handle: async ({ sku }) => {
      try {
        const { settled } = await beginTurn(db, sku)
        const done = await tellAll(sku)
        await endTurn(db, sku, done ? settled : [], againMs)
      } catch (error) {
        log.warn({ err: error, sku }, 'orders that wait for stock could not be told')
        await endTurn(db, sku, [], retryMs)
      }
    },
  })
}
