/** Rules that stop orders by themselves when they are placed, as data: what they look at, what they stop, who says yes, and what happens when nobody does. */
import type { ForChannels } from './channel-facts'
import type { HoldEnding, HoldOwner, HoldStep, ReleasingFact } from '../order/holds'

export interface HoldsPolicy {
  rules: readonly HoldRule[]
  /** Which orders the fraud service is asked about; absent: none. */
  fraud?: FraudRule
}

/** Everything it names must be so; a condition that names nothing is met by every order. */
export interface HoldCondition extends ForChannels {
  /** The order’s total is at least this, in minor units of `currency`. */
  amount?: { fromMinor: number; currency: string }
  /** The order’s total is at least what its channel gives under this name; where it gives nothing, no order is. */
  limit?: string
  /** The address differs from the one on the bill, or from those of all earlier orders of the customer. */
  addressDiffers?: 'from_billing' | 'from_earlier_orders'
  /** The customer has not ordered before, as far as is known. */
  firstOrder?: true
  /** The channel has marked the order with any of these. */
  flags?: readonly string[]
  /** Any SKU begins with one of these. */
  skus?: readonly string[]
}

export interface HoldRule {
  /** Unique among the rules; kept with the hold. */
  name: string
  type: string
  reason: string
  when: HoldCondition
  blocks: readonly HoldStep[]
  owner: HoldOwner
  /** How long it may stand, and what happens then. Absent: it stands. */
  endsAfter?: string
  atDeadline?: HoldEnding
  /** So many different people have to say yes, none of whom sent the order. */
  approvals?: number
  /** A fact that releases it by itself. */
  releasedBy?: ReleasingFact
}

/** While the service has not answered, and while a person looks at what it was not sure of, these steps are stopped. */
export interface FraudRule {
  when: HoldCondition
  blocks: readonly HoldStep[]
  answerWithin: string
  whenSilent: HoldEnding
  reviewWithin: string
  whenUnreviewed: HoldEnding
  /** Who looks at it. */
  reviewer: HoldOwner
}
