/** Does one thing to many orders: each is asked by its own workflow under a command of its own, few at a time, as often as it takes until there is an answer. */
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { bulkAgainLater, cancelledBecause, leaseBulk, releasableHolds, settleBulk, type BulkOutcome, type BulkTask } from '../db/bulk-actions'
import type { Db } from '../db/connection'
import type { UpdateName } from '../domain/messages'
import { Refusal } from '../domain/refusals'
import { holdingBack, startPump, type Pump } from './pump'
import type { Threads } from './threads'

export interface BulkOptions {
  db: Db
  threads: Pick<Threads, 'ask'>
  log: Logger
  /** Orders asked at once by this process; what people and channels ask comes beside it. */
  concurrency?: number
  idleMs?: number
  /** How long to hold back before the next order; in a burst, answering the channels comes first. */
  pauseMs?: () => number
}

const leaseMs = 60_000
const deadlineMs = 20_000
const firstRetryMs = 1_000
const longestRetryMs = 60_000
/** A quarter of an hour in all. */
const mostAttempts = 20

export function startBulk({ db, threads, log, concurrency = 6, idleMs = 500, pauseMs = () => 0 }: BulkOptions): Pump {
  const ask = (task: BulkTask, update: UpdateName, wanted: object, about = ''): Promise<unknown> => {
    const args = { ...wanted, commandId: commandOf(task, about), actor: task.actor }
    return threads.ask({ orderId: task.orderId, update, args, deadlineMs })
  }

  const effects: Record<BulkTask['action'], (task: BulkTask) => Promise<BulkOutcome>> = {
    cancel: (task) => cancel(task),
    release: async (task) => {
      const holds = await releasableHolds(db, task.orderId, task)
      // A second look after a crash finds nothing to release: what was to be done has been done.
      if (holds.length === 0) return task.attempts > 1 ? { outcome: 'done' } : { outcome: 'refused', code: 'hold.none' }
      for (const holdId of holds) await ask(task, 'releaseHold', { holdId, reason: causeOf(task) }, holdId)
      return { outcome: 'done', data: { holds: holds.length } }
    },
    're-source': (task) => done(ask(task, 'moveWork', { reason: causeOf(task) })),
    're-promise': (task) => done(ask(task, 'renewPromise', { reason: causeOf(task) })),
  }

  const cancel = async (task: BulkTask): Promise<BulkOutcome> => {
    const reason = causeOf(task)
    try {
      return await done(ask(task, 'cancelOrder', { reason }))
    } catch (error) {
      // An answer that got lost: the order is cancelled, and by us.
      if (error instanceof Refusal && error.code === 'order.already_cancelled' && (await cancelledBecause(db, task.orderId, reason))) return { outcome: 'done' }
      throw error
    }
  }

  const handle = async (task: BulkTask): Promise<void> => {
    try {
      await settleBulk(db, task, await effects[task.action](task))
    } catch (error) {
      if (error instanceof Refusal) return settleBulk(db, task, { outcome: 'refused', code: error.code, data: error.data })
      if (task.attempts < mostAttempts) return bulkAgainLater(db, task, (error as Error).message, Math.min(firstRetryMs * 2 ** Math.min(task.attempts - 1, 10), longestRetryMs))
      log.warn({ err: error, bulkActionId: task.bulkActionId, orderId: task.orderId }, 'an order of a bulk action gives no answer')
      await settleBulk(db, task, { outcome: 'failed', data: { error: (error as Error).message } })
    }
  }

  return startPump<BulkTask>({
    name: 'bulk',
    concurrency,
    idleMs,
    log,
    use: holdingBack(pauseMs),
    take: (limit) => leaseBulk(db, limit, leaseMs),
    handle,
  })
}

const done = async (asked: Promise<unknown>): Promise<BulkOutcome> => {
  await asked
  return { outcome: 'done' }
}

/** What the order’s own audit and timeline say of it. */
const causeOf = ({ reason, bulkActionId }: BulkTask): string => `${reason} (bulk action ${bulkActionId})`

/** The same for every attempt. */
const commandOf = ({ bulkActionId, orderId }: BulkTask, about: string): string => createHash('sha256').update(JSON.stringify(['bulk', bulkActionId, orderId, about])).digest('hex')
