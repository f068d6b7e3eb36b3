/** Applies facts from outside by lease and tells the order's workflow what matters to it. What cannot be told yet stays queued; what was applied is not applied again. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { keepUntilOrder } from '../db/channel-messages'
import { applyDisputeFact } from '../db/disputes'
import { applyFailedRefund } from '../db/failed-refunds'
import { applyCarrierFact, applyPaymentFact } from '../db/facts'
import { applyFraudFact } from '../db/fraud'
import { isStillToStart } from '../db/starts'
import { factFailed, leaseFacts, settleFact, type InboundFact, type LeasedFact, type Telling } from '../db/inbox'
import type { FactHandler } from './channel-facts'
import { startPump, type Pump } from './pump'
import type { Threads } from './threads'

const leaseMs = 30_000
const retryMs = 1_000

export interface InboxOptions {
  db: Db
  threads: Pick<Threads, 'tell'>
  log: Logger
  /** What to do with facts of channels, by kind. */
  channelFacts: Record<string, FactHandler>
  concurrency?: number
  idleMs?: number
}

export function startInbox({ log, concurrency = 4, idleMs = 1_000, ...facts }: InboxOptions): Pump {
  const { db } = facts
  const deal = factDealer(facts)
  return startPump<LeasedFact>({
    name: 'inbox',
    concurrency,
    idleMs,
    log,
    take: (limit) => leaseFacts(db, limit, leaseMs),
    handle: async (fact) => {
      try {
        await deal(fact)
      } catch (error) {
        await factFailed(db, fact, (error as Error).message, retryMs)
      }
    },
  })
}

/** Applies one fact to the rows, unless that was done before, and tells the order. */
export function factDealer({ db, threads, channelFacts }: Pick<InboxOptions, 'db' | 'threads' | 'channelFacts'>): (fact: LeasedFact) => Promise<void> {
  const apply = async (fact: InboundFact): Promise<Telling | undefined> => {
    if (fact.kind === 'dispute') return applyDisputeFact(db, fact)
    if (fact.kind === 'fraud') return applyFraudFact(db, fact)
    if (fact.kind === 'refund_failed') return applyFailedRefund(db, fact)
    if (fact.kind === 'payment') return applyPaymentFact(db, fact)
    if (fact.kind === 'carrier') return applyCarrierFact(db, fact)
    const handle = channelFacts[fact.kind]
    if (!handle) throw new Error(`no way to apply a fact of kind ${fact.kind}`)
    const { status, outcome } = await handle(fact)
    await (status === 'kept' ? keepUntilOrder(db, fact, outcome) : settleFact(db, fact, status, outcome))
    return undefined
  }

  return async (fact) => {
    const telling = fact.telling ?? (await apply(fact))
    if (!telling) return
    const heard = await threads.tell(telling, telling.signal, telling.fact)
    if (!heard && (await isStillToStart(db, telling))) throw new Error('its workflow has not been started yet')
    await settleFact(db, fact, 'done', heard ? 'order told' : 'the workflow has closed')
  }
}
