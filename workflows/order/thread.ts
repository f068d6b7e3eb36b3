/** What an order's workflow knows: small, plain, and enough to decide. Everything else is rows. */
import { CancellationScope } from '@temporalio/workflow'
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import type { OrderEnding, OrderStart } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import type { PaymentState } from '../../domain/payment/view'
import type { CancelOutcome } from '../../db/steps/cancel-order'
import { createAlarm, type Until } from '../support/alarm'
import { isoIn } from '../support/clock'
import { createLock, type Lock } from '../support/lock'
import { durationMs } from '../../domain/policy/duration'

export interface Thread {
  readonly start: OrderStart
  /** Where the story is, in a word, for people who look. */
  chapter: string
  /** What the story waits on, and what the order's row says it does; they differ only until the next step writes it. */
  waitingOn: WaitingOn | null
  rowWaitingOn: WaitingOn | null
  payments: Record<string, PaymentState>
  works: Work[]
  sourcingAttempts: number
  lastException?: string
  /** How often somebody pressed retry. */
  nudges: number
  /** Set once the order is cancelled in the rows; the story stops and unwinds. */
  cancelled?: { outcome: CancelOutcome; reason: string }
  ending: OrderEnding | null
  readonly story: CancellationScope
  readonly lock: Lock
  readonly until: Until
}

/** One fulfillment as the workflow follows it. */
export interface Work {
  fulfillmentId: string
  nodeId: string
  status: FulfillmentStatus
  carrier?: string
  service?: string
  trackingNumbers?: string[]
  handOver?: { at: string; captures: string[]; manifest: string }
  deliveredAt?: string
}

export function openThread(start: OrderStart): Thread {
  const first = firstWait(start)
  return {
    start,
    chapter: 'accepted',
    waitingOn: first,
    rowWaitingOn: first,
    payments: {},
    works: [],
    sourcingAttempts: 0,
    nudges: 0,
    ending: null,
    story: new CancellationScope(),
    lock: createLock(),
    until: createAlarm(),
  }
}

/** What the row says from intake on: the same sum as there. */
function firstWait({ acceptedAt, tenders, policy }: OrderStart): WaitingOn {
  if (tenders.every((t) => t.authorizeOperationId === undefined)) return { what: 'sourcing', since: acceptedAt, deadline: null }
  return { what: 'payment', since: acceptedAt, deadline: new Date(Date.parse(acceptedAt) + durationMs(policy.payment.deadline)).toISOString() }
}

/** A wait from now on, for `patience` (an ISO 8601 duration) at most. */
export const waiting = (what: WaitingOn['what'], patience: string | null): WaitingOn => ({ what, since: isoIn(0), deadline: patience === null ? null : isoIn(durationMs(patience)) })

/** The fulfillment that is going on, if any. */
export const workOf = (thread: Thread, fulfillmentId: string): Work | undefined => thread.works.find((w) => w.fulfillmentId === fulfillmentId)
