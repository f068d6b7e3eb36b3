/** What an order's workflow knows: small, plain, and enough to decide. Everything else is rows. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow'
import type { FulfillmentStatus, WorkMethod } from '../../domain/fulfillment/moves'
import type { CarrierReported, Gone, OrderEnding, OrderStart } from '../../domain/messages'
import type { PartMilestones } from '../../domain/promise/kept'
import { waitsUnder, type StandingHold } from '../../domain/order/holds'
import { mostUrgent, type WaitingOn } from '../../domain/order/status'
import type { ReturnStatus } from '../../domain/returns/status'
import type { PaymentState } from '../../domain/payment/view'
import type { IntendedRefund } from '../../db/refunds'
import type { CancelOutcome } from '../../db/steps/cancel-order'
import { createAlarm, type Alarm, type Until } from '../support/alarm'
import { isoIn } from '../support/clock'
import { createLock, type Lock } from '../support/lock'
import { durationMs } from '../../domain/policy/duration'

export interface Thread {
  readonly start: OrderStart
  /** Of an order that was opened again, the same when it is reset: its attempts are counted from one, as those before were. */
  readonly threadId?: string
  /** Where the story is, in a word, for people who look. */
  chapter: string
  /** The order as a whole, as one that waits. */
  readonly whole: Waiter
  payments: Record<string, PaymentState>
  works: Work[]
  /** New parts that nobody follows yet. */
  arrivals: Work[]
  /** Operations that let go of holds of which nothing more will be taken. */
  unwanted: string[]
  /** Payments whose money came when nobody counted on it any more, and was let go or given back. */
  givenBack: string[]
  /** To be given back for what never came; nobody has been asked yet. */
  owed: IntendedRefund[]
  /** Works of which nothing was left. */
  stopped: string[]
  /** How often units were cancelled while the rest goes on. */
  reductions: number
  /** What comes back, or is to. */
  backs: Back[]
  /** Returns that nobody follows yet. */
  asked: Back[]
  /** Refunds, voids and claims that news of returns has brought. */
  readonly heard: Set<string>
  /** Returns whose label nobody has ordered yet. */
  toLabel?: Back[]
  /** Some units have no node: in the beginning all of them, later what a node rejects. */
  toSource: boolean
  sourcingAttempts: number
  /** How many wait until what has still to leave is held. */
  holding?: number
  /** How often another way of paying was given for it. */
  given?: number
  /** A change has left money unheld that what has still to leave needs. */
  toHold?: boolean
  /** What is held for goods that have still to leave will not be held much longer. */
  toRenew?: boolean
  /** Returns over whose goods money is held, but not for long any more. */
  toSecure?: string[]
  /** What stops some of its steps. */
  holds: StandingHold[]
  /** Holds that had ended before anything was heard of them. */
  released: string[]
  /** What has no node is being sourced, or waits for stock. */
  isSourcing?: boolean
  /** How often what has still to leave was held again. */
  holdAttempts: number
  lastException?: string
  /** How often somebody pressed retry, or something happened that is worth another try. */
  nudges: number
  /** An order that had come to its end is open again in its rows. */
  resumed: boolean
  /** Set once the order is cancelled in the rows; the story stops and unwinds. */
  cancelled?: { outcome: CancelOutcome; reason: string }
  ending: OrderEnding | null
  readonly story: CancellationScope
  readonly lock: Lock
  readonly alarm: Alarm
  readonly until: Until
}

/** Who waits, and for what: the story and the row differ only until the next step has written it. */
export interface Waiter {
  /** Of the part, or of the return; without either it is the order as a whole. */
  readonly fulfillmentId?: string
  readonly returnId?: string
  wait: WaitingOn | null
  rowWait: WaitingOn | null
}

/** One fulfillment as the workflow follows it: a part of the order, or all of it. */
export interface Work extends Waiter {
  readonly fulfillmentId: string
  readonly nodeId: string
  readonly method: WorkMethod
  status: FulfillmentStatus
  /** By when it must have come how far for its promise to be kept. */
  milestones?: PartMilestones
  carrier?: string
  service?: string
  trackingNumbers?: string[]
  /** Of goods that the customer fetches: until when they wait, and when she is reminded. */
  pickup?: { pickupBy: string; remindAt?: string }
  gone?: Gone
  /** The carrier is to be told of what it was given. */
  manifest?: string
  /** When the customer had it; of a transfer, when the other node had. */
  deliveredAt?: string
  /** Parcels of it that will never arrive. */
  troubles?: NonNullable<CarrierReported['trouble']>[]
}

/** One return as the workflow follows it. */
export interface Back extends Waiter {
  readonly returnId: string
  status: ReturnStatus
  /** To be given back, and nobody has been asked yet. */
  refunds: IntendedRefund[]
  /** Of the newest that its rows have said of its wait. */
  toldAt?: string
  /** Of what comes by mail. */
  label?: 'wanted' | 'settled'
  /** The wait begins anew. */
  stirred?: boolean
  arrived?: boolean
  /** What is to be asked of the carrier that lost it, and nobody has been asked yet. */
  claimId?: string
  /** To be taken for what has not come back, and nobody has been asked yet. */
  charges?: IntendedRefund[]
  /** Money is held over the goods until they are back. */
  guarded?: boolean
  /** How often that was held anew. */
  securings?: number
  /** The kind of exception by which somebody knows that it is late. */
  told?: string
  /** It has ended, and nobody follows it any more. */
  isOver?: boolean
}

export function openThread(start: OrderStart): Thread {
  const first = firstWait(start)
  const alarm = createAlarm()
  return {
    start,
    ...(start.reopened && { threadId: workflowInfo().firstExecutionRunId }),
    chapter: start.reopened ? 'reopened' : 'accepted',
    whole: { wait: first, rowWait: first },
    payments: {},
    works: [],
    arrivals: [],
    unwanted: [],
    givenBack: [],
    owed: [],
    stopped: [],
    reductions: 0,
    backs: [],
    asked: [],
    heard: new Set(),
    toSource: start.reopened !== true,
    sourcingAttempts: 0,
    holdAttempts: 0,
    holds: [...(start.holds ?? [])],
    released: [],
    nudges: 0,
    resumed: start.reopened !== true,
    ending: null,
    story: new CancellationScope(),
    lock: createLock(),
    alarm,
    until: alarm.until,
  }
}

/** What the row says from intake on: the same sum as there. */
function firstWait({ acceptedAt, tenders, policy, reopened }: OrderStart): WaitingOn | null {
  if (reopened) return null
  if (tenders.every((t) => t.authorizeOperationId === undefined)) return { what: 'sourcing', since: acceptedAt, deadline: null }
  return { what: 'payment', since: acceptedAt, deadline: new Date(Date.parse(acceptedAt) + durationMs(policy.payment.deadline)).toISOString() }
}

/** A wait from now on, for `patience` (an ISO 8601 duration) at most. */
export const waiting = (what: WaitingOn['what'], patience: string | null): WaitingOn => ({ what, since: isoIn(0), deadline: patience === null ? null : isoIn(durationMs(patience)) })

/** A step has written what `who` waits on. */
export function waits(who: Waiter, wait: WaitingOn | null): void {
  who.wait = who.rowWait = wait
}

/** What shows: the most urgent of all waits, summed up as in the row. */
export const waitingOn = ({ whole, works, backs, holds }: Thread): WaitingOn | null => mostUrgent(waitsUnder([whole.wait, ...works.map((w) => w.wait), ...backs.map((b) => b.wait)], holds))

/** The fulfillment of that id, if it is one of this order's. */
export const workOf = (thread: Thread, fulfillmentId: string): Work | undefined => thread.works.find((w) => w.fulfillmentId === fulfillmentId)
