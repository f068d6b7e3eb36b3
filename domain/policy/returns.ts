/** The terms on which goods are taken back, per channel and category: rules as data, read from top to bottom, of which the first that fits a line governs it. */
import type { ForChannels } from './channel-facts'

export const proofs = ['photo', 'receipt'] as const
/** What a customer may have to show: a reference to a photo, or the number of her receipt. */
export type ProofKind = (typeof proofs)[number]

/** When the money of a return is given back: the most careful first. */
export const refundTimes = ['receipt', 'collection', 'scan', 'request'] as const
export type RefundOn = (typeof refundTimes)[number]

export const feePers = ['return', 'line'] as const
/** A fee per return is taken once of all its lines, the highest of those that fit them; a fee per line is taken of each line, whatever its quantity. */
export type FeePer = (typeof feePers)[number]

export interface ReturnReason {
  /** What a customer gives as the reason of a line. */
  code: string
  /** No fee is kept of what comes back for it. */
  ourFault?: boolean
}

export interface ReturnTerms {
  /** From the last arrival until it cannot be sent back any more. */
  window?: string
  /** Kept of a refund, in minor units of the channel's currency. */
  feeMinor?: number
  feePer?: FeePer
  /** Not taken back at all. */
  finalSale?: boolean
  /** The codes a customer may give; absent: whatever she says. */
  reasons?: readonly ReturnReason[]
  proof?: 'none' | ProofKind
  /** Where lines of one return differ, its money waits for what takes longest. */
  refundOn?: RefundOn
}

/** What it does not say, the policy says. */
export interface ReturnRule extends ReturnTerms, ForChannels {
  name: string
  /** For channels that have chosen terms of one of these names. Absent: for all. */
  terms?: readonly string[]
  /** Categories of SKUs. Absent: every SKU, those without a category too. */
  categories?: readonly string[]
  /** Orders that carry any of these marks of their channel, e.g. `trusted`. Absent: all. */
  flags?: readonly string[]
}
