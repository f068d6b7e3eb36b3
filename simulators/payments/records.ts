/** What the payment provider keeps about each payment: its own books, in its own terms, amounts in minor units and times in Unix seconds. */
import { randomBytes } from 'node:crypto'
import type { Books } from '../books'
import type { FaultQueue } from '../faults'
import type { SettlementBreaks } from './settlement'

export const intentStatuses = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
] as const
export type IntentStatus = (typeof intentStatuses)[number]

export interface PaymentFailure {
  type: 'card_error' | 'invalid_request_error'
  code: string
  declineCode?: string
  message: string
  paymentMethod?: string
}

export interface Intent {
  id: string
  clientSecret: string
  createdSeconds: number
  amountMinor: number
  capturableMinor: number
  receivedMinor: number
  currency: string
  captureMethod: 'automatic' | 'automatic_async' | 'manual'
  /** What applies to cards in place of it. */
  cardCaptureMethod?: 'manual'
  status: IntentStatus
  automaticPaymentMethods?: { allowRedirects: string }
  paymentMethodTypes: string[]
  metadata: Record<string, string>
  description?: string
  customer?: string
  setupFutureUsage?: string
  /** What the method in use behaves as: a test name. */
  paymentMethod?: string
  /** The provider's own id of the method in use. */
  methodId?: string
  /** The shop asked to capture several times, where the account has it. */
  wantsMulticapture?: boolean
  latestCharge?: string
  lastPaymentError?: PaymentFailure
  cancelledSeconds?: number
  cancellationReason?: string
  /** Until when the hold is good; set while money is held. */
  holdEndsMs?: number
  /** When a slow payment method decides by itself; set while it is processing. */
  settlesMs?: number
}

export interface Charge {
  id: string
  intent: string
  createdSeconds: number
  amountMinor: number
  capturedMinor: number
  /** Let go without being captured; the provider reports it together with refunds. */
  releasedMinor: number
  refundedMinor: number
  currency: string
  /** True once nothing more can be captured. */
  captured: boolean
  status: 'succeeded' | 'pending' | 'failed'
  paymentMethod: string
  /** Whether this hold may be captured several times. */
  multicapture?: boolean
  captureBeforeSeconds?: number
  failure?: PaymentFailure
  metadata: Record<string, string>
  description?: string
}

export interface Customer {
  id: string
  createdSeconds: number
  description?: string
  metadata: Record<string, string>
}

/** An address at which a customer pays once. */
export interface CheckoutSession {
  id: string
  createdSeconds: number
  expiresSeconds: number
  status: 'open' | 'complete' | 'expired'
  amountMinor: number
  currency: string
  clientReferenceId?: string
  metadata: Record<string, string>
  successUrl: string
  /** Where pages to pay at are. */
  payAt: string
  createsCustomer: boolean
  customer?: string
  /** What its payment is opened with, once somebody pays. */
  intentMetadata: Record<string, string>
  description?: string
  captureMethod?: Intent['captureMethod']
  cardCaptureMethod?: 'manual'
  wantsMulticapture?: boolean
  setupFutureUsage?: string
  intent?: string
}

/** A payment method that was used. */
export interface Method {
  id: string
  behavesAs: string
  /** Who keeps it; without one it cannot be used again. */
  customer?: string
}

export interface Refund {
  id: string
  intent: string
  charge: string
  amountMinor: number
  currency: string
  createdSeconds: number
  reason?: string
  metadata: Record<string, string>
  /** It came back, days after it was given. */
  failed?: true
}

/** One change of the shop's balance here: what a payout is made of. Amounts as the shop sees them: what is taken from it is negative. */
export interface BalanceTransaction {
  id: string
  createdSeconds: number
  category: 'charge' | 'refund' | 'refund_failure' | 'dispute' | 'dispute_reversal'
  grossMinor: number
  feeMinor: number
  currency: string
  /** The charge, refund or dispute it comes from. */
  source: string
  charge: string
  intent: string
  description: string
}

/** The cardholder's bank takes money back. */
export interface Dispute {
  id: string
  charge: string
  intent: string
  amountMinor: number
  currency: string
  createdSeconds: number
  status: 'needs_response' | 'won' | 'lost'
}

export interface ProviderEventRecord {
  id: string
  type: string
  createdMs: number
  /** The event as it is sent, byte for byte. */
  body: string
}

export interface StoredAnswer {
  /** The idempotency key. */
  id: string
  path: string
  fingerprint: string
  status: number
  body: string
  requestId: string
  createdMs: number
}

export interface PaymentRecords {
  intent: Intent
  charge: Charge
  refund: Refund
  customer: Customer
  session: CheckoutSession
  method: Method
  transaction: BalanceTransaction
  dispute: Dispute
  event: ProviderEventRecord
  /** Events no receiver has taken yet. */
  pending: { id: string }
  key: StoredAnswer
}

/** Everything a call works on. */
export interface Provider {
  books: Books<PaymentRecords>
  faults: FaultQueue
  /** Tells the receiver what happened, after the effect is in the books. */
  announce(type: string, object: { description?: unknown }): void
  /** Has the clock end this intent's hold, or decide it, when its time has come. */
  watch(intent: Intent): void
  /** What is to be wrong in the settlement file. */
  breaks: SettlementBreaks
  /** How often the receiver hears of payments of a description, where that is not as usual: not at all, once or twice. */
  copiesOf: Map<string, number>
  authorizationMs: number
  multicapture: boolean
  /** How long a slow payment method takes to decide; 0 = never by itself. */
  settleMs: number
  /** Ends held-back answers when the simulator stops. */
  stop: AbortSignal
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `pi_3…`: ids of the length and letters the real provider uses. */
export const newId = (prefix: string, length = 24): string => `${prefix}_${Array.from(randomBytes(length), (byte) => alphabet[byte % 62]).join('')}`

export const nowSeconds = (): number => Math.floor(Date.now() / 1000)
