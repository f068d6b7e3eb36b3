/** Asks the fraud service about orders that wait for it, by lease: under one key however often, and again when nothing is heard, because a message may have got lost. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { checkFailed, checkIsAsked, leaseChecks, type AskedCheck } from '../db/fraud'
import { receiveFact } from '../db/inbox'
import type { FraudAnswer, FraudQuestion } from '../domain/order/fraud'
import { startPump, type Pump } from './pump'

export interface FraudPatience {
  /** One call, and who asks may have died. */
  leaseMs: number
  /** The first pause after a call that failed; each is longer than the one before. */
  retryMs: number
  longestRetryMs: number
  /** How long an answer may take before it is asked what became of it. */
  askAgainMs: number
}
const usual: FraudPatience = { leaseMs: 30_000, retryMs: 1_000, longestRetryMs: 60_000, askAgainMs: 60_000 }

export interface FraudOptions {
  db: Db
  service: { ask(question: FraudQuestion): Promise<FraudAnswer> }
  log: Logger
  /** Something is in the inbox. */
  wake: () => void
  concurrency?: number
  idleMs?: number
  patience?: FraudPatience
}

export function startFraud({ db, service, log, wake, concurrency = 4, idleMs = 500, patience = usual }: FraudOptions): Pump {
  const ask = async ({ checkId, orderId, channel, currency, totalMinor, customer, shipTo, billTo, lines, tenders }: AskedCheck): Promise<void> => {
    const { name, email, phone } = customer ?? {}
    const { verdict, reference } = await service.ask({
      key: checkId, orderRef: orderId, channel, currency, amountMinor: totalMinor, customer: { name, email, phone }, ...(shipTo && { shipTo }), ...(billTo && { billTo }), lines, tenders,
    })
    await checkIsAsked(db, checkId, { reference, againMs: patience.askAgainMs })
    if (verdict === undefined) return
    await receiveFact(db, { source: 'fraud', eventId: `answer:${checkId}`, kind: 'fraud', subject: checkId, payload: { verdict, reference } })
    wake()
  }

  return startPump<AskedCheck>({
    name: 'fraud',
    concurrency,
    idleMs,
    log,
    take: (limit) => leaseChecks(db, limit, patience.leaseMs),
    handle: async (check) => {
      try {
        await ask(check)
      } catch (error) {
        log.warn({ err: error, checkId: check.checkId }, 'the fraud service does not answer')
        await checkFailed(db, check.checkId, (error as Error).message, Math.min(patience.retryMs * 2 ** Math.min(check.attempts - 1, 10), patience.longestRetryMs))
      }
    },
  })
}
