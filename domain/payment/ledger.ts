/**
 * The posting rules of the double-entry ledger. A journal is what one fact does to the accounts: debits are positive, credits negative, and each sums to zero.
 *
 * | fact | debit | credit |
 * |---|---|---|
 * | goods leave, or are collected | receivable (the share), discount | revenue, tax, shipping |
 * | … and the channel has taken money for them | elsewhere | receivable |
 * | goods that others were sent for do not come back | receivable (what was paid for them, less what the others cost less), refund | revenue, tax |
 * | the provider has taken money | provider clearing | receivable |
 * | money is given back before goods left for it | receivable | provider clearing |
 * | money is given back for goods that left, and whatever of it | refund, tax, shipping | provider clearing, adjustments (a fee that is kept) |
 * | money is given back beyond what came back, with a name to it | adjustments | provider clearing |
 * | goods come back, or are cancelled, for which money was given ahead by hand | refund, tax, shipping, receivable | adjustments (what is counted of it) |
 * | a refund came back to the provider, and the customer is owed it | provider clearing | refunds owed |
 * | what is owed so is given by another payment, as store credit, or by a transfer | refunds owed | provider clearing, store credit liability, bank |
 * | what would have been given back is given as store credit | refund, tax, shipping | store credit liability, adjustments (a fee that is kept) |
 * | a gift card is sold elsewhere, or given, and so is store credit | elsewhere, or adjustments | gift card liability, store credit liability |
 * | the customer’s bank takes money back | disputes | provider clearing |
 * | it gives it back: the dispute was won | provider clearing | disputes |
 * | it keeps it: the dispute was lost | adjustments | disputes |
 * | goods come back, or are cancelled, for which the customer has money by her bank | as for money given ahead by hand | adjustments |
 * | the provider pays out what it took | bank (net), fees | provider clearing |
 * | the provider keeps back what was given back | provider clearing | bank |
 * | what does not agree with the provider’s file, as finance agrees to book it | bank, fees, adjustments | provider clearing |
 *
 * So an order is square when its receivable is zero, and the provider when its clearing account is. Money for goods that have not left is owed to the customer
 * (a negative receivable); what a channel took is its own affair until goods leave for it.
 */
import { invariant } from '../invariant'
import type { RefundParts } from '../returns/refund'
import type { Breakdown } from './shares'
import { isStoredValue, type StoredValue } from './stored-value'

/** Every account there is; of a provider's clearing account there is one per provider, `provider_clearing:stripe`. */
export const accounts = [
  'receivable', 'provider_clearing', 'bank', 'revenue', 'tax', 'shipping', 'discount', 'gift_card_liability', 'store_credit_liability', 'refund', 'refunds_owed', 'disputes', 'fees', 'adjustments', 'elsewhere',
] as const
export type Account = Exclude<(typeof accounts)[number], 'provider_clearing'> | `provider_clearing:${string}`

export interface Entry {
  account: Account
  /** Debit positive, credit negative. */
  amountMinor: number
  /** Why, in words; it names what the amount is for. */
  cause: string
}

export const journalKinds = ['sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed', 'given_again', 'counted', 'dispute', 'correction'] as const

export interface Journal {
  /** Said twice, the same: no fact is posted twice. */
  journalId: string
  kind: (typeof journalKinds)[number]
  /** At most one per account, none of zero, together zero. */
  entries: readonly Entry[]
}

/** Where money stands that a tender's provider has taken. */
export function moneyAccount(provider: string): Account {
  if (provider === 'paid_elsewhere') return 'elsewhere'
  if (provider === 'gift_card') return 'gift_card_liability'
  if (provider === 'store_credit') return 'store_credit_liability'
  return `provider_clearing:${provider}`
}

export interface Sale {
  fulfillmentId: string
  /** What left and from where, e.g. `2 × SOCKS-3P left dc-01`. */
  what: string
  parts: Breakdown
  /** How much of it the channel has taken money for. */
  elsewhereMinor: number
}

/** Goods have left: whoever bought them owes what they are worth, or the channel does that took the money. */
export function saleJournal({ fulfillmentId, what, parts, elsewhereMinor }: Sale): Journal {
  const { goodsMinor, discountMinor, taxMinor, shippingMinor } = parts
  const worthMinor = goodsMinor - discountMinor + taxMinor + shippingMinor
  return journal(`sale:${fulfillmentId}`, 'sale', [
    { account: 'receivable', amountMinor: worthMinor - elsewhereMinor, cause: `Owed by the customer: ${what}` },
    { account: 'elsewhere', amountMinor: elsewhereMinor, cause: `Owed by the channel, which has taken the money: ${what}` },
    { account: 'revenue', amountMinor: -goodsMinor, cause: `Goods without tax: ${what}` },
    { account: 'discount', amountMinor: discountMinor, cause: `Discount on the goods: ${what}` },
    { account: 'tax', amountMinor: -taxMinor, cause: `Tax on goods and shipping: ${what}` },
    { account: 'shipping', amountMinor: -shippingMinor, cause: `Shipping without tax, with the first part that leaves: ${what}` },
  ])
}

export interface NotSentBack {
  returnId: string
  /** In words, e.g. `1 × SHOE-LB-42`. */
  what: string
  /** What was paid for it: its price now; and what the goods that were sent in its place cost less, where that was not given back yet. With tax. */
  value: { minor: number; taxMinor: number }
  less: { minor: number; taxMinor: number }
}

/** Goods that others were sent for have not come back: they are sold. */
export const chargeJournal = ({ returnId, what, value, less }: NotSentBack): Journal =>
  journal(`charge:${returnId}`, 'charge', [
    { account: 'receivable', amountMinor: value.minor - less.minor, cause: `Owed by the customer for what was not sent back: ${what}` },
    { account: 'refund', amountMinor: less.minor - less.taxMinor, cause: `What was sent in its place cost less, without tax: ${what}` },
    { account: 'revenue', amountMinor: -(value.minor - value.taxMinor), cause: `Not sent back, at what was paid for it, without tax: ${what}` },
    { account: 'tax', amountMinor: -(value.taxMinor - less.taxMinor), cause: `Tax of what was not sent back: ${what}` },
  ])

export interface Taken {
  paymentId: string
  provider: string
  /** Taken now. */
  amountMinor: number
  /** Taken in all, this included. */
  capturedMinor: number
}

/** The provider has taken money of the customer. */
export const captureJournal = ({ paymentId, provider, amountMinor, capturedMinor }: Taken): Journal =>
  journal(`capture:${paymentId}:${capturedMinor}`, 'capture', [
    { account: moneyAccount(provider), amountMinor, cause: isStoredValue(provider) ? `Spent of the customer’s ${words[provider]}` : `Taken by ${provider}, and not paid out yet` },
    { account: 'receivable', amountMinor: -amountMinor, cause: `Paid by the customer through ${isStoredValue(provider) ? words[provider] : provider}` },
  ])

const words: Record<StoredValue, string> = { gift_card: 'gift card', store_credit: 'store credit' }

function givenBy(provider: string): string {
  if (provider === 'paid_elsewhere') return 'Given back by the channel'
  return isStoredValue(provider) ? `Put back on the customer’s ${words[provider]}` : `Given back by ${provider}`
}

export interface GivenBack {
  paymentId: string
  provider: string
  /** Given back now. */
  amountMinor: number
  /** Given back in all, this included. */
  refundedMinor: number
  /** What the customer had paid and no goods had left for. */
  owedMinor: number
  /** What it gives back, where a return says so; adds up to the amount. */
  parts?: RefundParts
}

/** Money was given back: for what came back, in its parts; else first what was owed to the customer anyway, the rest for goods that left. */
export function refundJournal({ paymentId, provider, amountMinor, refundedMinor, owedMinor, parts }: GivenBack): Journal {
  const given: Entry = { account: moneyAccount(provider), amountMinor: -amountMinor, cause: givenBy(provider) }
  if (parts) return journal(`refund:${paymentId}:${refundedMinor}`, 'refund', [...inParts(parts), given])
  const unsoldMinor = Math.min(amountMinor, Math.max(0, owedMinor))
  return journal(`refund:${paymentId}:${refundedMinor}`, 'refund', [
    { account: 'receivable', amountMinor: unsoldMinor, cause: 'Given back to the customer: paid, and no goods had left for it' },
    { account: 'refund', amountMinor: amountMinor - unsoldMinor, cause: 'Given back to the customer for goods that had left' },
    given,
  ])
}

/** A refund came back to the provider: it has the money again, and the customer is owed it. */
export const failedRefundJournal = ({ provider, refundReference, amountMinor }: { provider: string; refundReference: string; amountMinor: number }): Journal =>
  journal(`refund-failed:${refundReference}`, 'refund_failed', [
    { account: moneyAccount(provider), amountMinor, cause: `A refund came back to ${provider}: ${refundReference}` },
    { account: 'refunds_owed', amountMinor: -amountMinor, cause: `Owed to the customer, whose refund ${refundReference} came back` },
  ])

export interface GivenAgain {
  refundReference: string
  amountMinor: number
  /** Not by another payment: that posts a refund like any other. */
  by: { way: 'store_credit' } | { way: 'bank_transfer'; transferReference: string; sentBy: string }
}

/** What the customer was owed, because a refund had come back, she has another way. */
export const givenAgainJournal = ({ refundReference, amountMinor, by }: GivenAgain): Journal =>
  journal(`given-again:${refundReference}`, 'given_again', [
    { account: 'refunds_owed', amountMinor, cause: `No longer owed: the refund ${refundReference} that came back was given another way` },
    by.way === 'store_credit'
      ? { account: 'store_credit_liability', amountMinor: -amountMinor, cause: 'Owed to the customer as store credit' }
      : { account: 'bank', amountMinor: -amountMinor, cause: `Sent by bank transfer ${by.transferReference}, by ${by.sentBy}` },
  ])

export interface Disputed {
  disputeId: string
  provider: string
  amountMinor: number
}

/** The customer’s bank takes money back: the provider has less for us at once, and nobody knows yet whose it is. */
export const disputeJournal = ({ disputeId, provider, amountMinor }: Disputed): Journal =>
  journal(`dispute:${disputeId}`, 'dispute', [
    { account: 'disputes', amountMinor, cause: `Taken back by the customer’s bank: ${disputeId}` },
    { account: moneyAccount(provider), amountMinor: -amountMinor, cause: `Taken from ${provider} by the customer’s bank: ${disputeId}` },
  ])

/** It is decided. Lost, the customer has it; what goods come back for it is counted then. */
export const disputeEndJournal = ({ disputeId, provider, amountMinor, status }: Disputed & { status: 'won' | 'lost' }): Journal =>
  journal(`dispute-${status}:${disputeId}`, 'dispute', [
    { account: status === 'won' ? moneyAccount(provider) : 'adjustments', amountMinor, cause: status === 'won' ? `Given back to ${provider} by the customer’s bank: ${disputeId}` : `Lost to the customer’s bank: ${disputeId}` },
    { account: 'disputes', amountMinor: -amountMinor, cause: `Decided by the customer’s bank: ${disputeId}` },
  ])

const inParts = (parts: RefundParts, elsewhere = false): Entry[] => [
  { account: elsewhere ? 'elsewhere' : 'receivable', amountMinor: parts.unsoldMinor ?? 0, cause: 'Given back to the customer: paid, and no goods had left for it' },
  { account: 'refund', amountMinor: parts.goodsMinor, cause: 'Given back to the customer for goods, without their tax' },
  { account: 'tax', amountMinor: parts.taxMinor, cause: 'Tax of what was given back' },
  { account: 'refunds_owed', amountMinor: parts.againMinor ?? 0, cause: 'No longer owed: a refund that came back is given by this payment' },
  { account: 'shipping', amountMinor: parts.shippingMinor, cause: 'Shipping given back to the customer, without its tax' },
  { account: 'adjustments', amountMinor: parts.feeMinor + (parts.goodwill?.minor ?? 0), cause: parts.goodwill ? goodwillCause(parts.goodwill) : 'Kept of it: the fee for sending back' },
]

const goodwillCause = ({ askedBy, approvedBy }: NonNullable<RefundParts['goodwill']>): string => `Given to the customer beyond what came back: asked by ${askedBy}${approvedBy === undefined ? '' : `, approved by ${approvedBy}`}`

/** A fee took all that would have been given back. */
export const keptJournal = ({ operationId, parts }: { operationId: string; parts: RefundParts }): Journal => journal(`kept:${operationId}`, 'refund', inParts(parts))

/** What would have been given back is the customer's as store credit. */
export const creditJournal = ({ operationId, parts, amountMinor }: { operationId: string; parts: RefundParts; amountMinor: number }): Journal =>
  journal(`credit:${operationId}`, 'credit', [...inParts(parts), { account: 'store_credit_liability', amountMinor: -amountMinor, cause: 'Owed to the customer as store credit' }])

/**
 * What comes back, or is cancelled, was paid for ahead, by hand or by the customer’s bank: that is not given again, and so was less beyond what came back.
 * @param counted.elsewhere a channel has taken the money, and no goods had left for it
 */
export function countedJournal({ orderId, purpose, parts, amountMinor, elsewhere = false, givenBy = 'hand' }: { orderId: string; purpose: string; parts: RefundParts; amountMinor: number; elsewhere?: boolean; givenBy?: 'hand' | 'bank' }): Journal {
  const cause = `Given to the customer ahead, by ${givenBy === 'hand' ? 'hand' : 'her bank'}, and counted now${parts.feeMinor === 0 ? '' : '; and the fee for sending back'}`
  return journal(`counted:${orderId}:${purpose}`, 'counted', [...inParts({ ...parts, feeMinor: 0 }, elsewhere), { account: 'adjustments', amountMinor: parts.feeMinor - amountMinor, cause }])
}

export interface Issued {
  moveId: string
  kind: StoredValue
  amountMinor: number
  paidElsewhere: boolean
  reason: string
}

/** We owe the holder of a card or of credit what is on it: for money that others took, or as a gift. */
export const issueJournal = ({ moveId, kind, amountMinor, paidElsewhere, reason }: Issued): Journal =>
  journal(`issue:${moveId}`, 'issue', [
    { account: paidElsewhere ? 'elsewhere' : 'adjustments', amountMinor, cause: paidElsewhere ? `Taken elsewhere: ${reason}` : `Given to the customer: ${reason}` },
    { account: moneyAccount(kind), amountMinor: -amountMinor, cause: `Owed to whoever spends it: ${reason}` },
  ])

export interface PaidOut {
  operationId: string
  provider: string
  settlementId: string
  line: number
  /** Of a refund: below zero. */
  grossMinor: number
  feeMinor: number
}

/** The provider's file names an operation of ours: what it took has left its hands, less its fee. */
export const settlementJournal = ({ operationId, provider, settlementId, line, grossMinor, feeMinor }: PaidOut): Journal =>
  journal(`settlement:${operationId}`, 'settlement', [
    { account: 'bank', amountMinor: grossMinor - feeMinor, cause: `Paid out by ${provider}: settlement ${settlementId}, line ${line}` },
    { account: 'fees', amountMinor: feeMinor, cause: `Fee kept by ${provider}: settlement ${settlementId}, line ${line}` },
    { account: moneyAccount(provider), amountMinor: -grossMinor, cause: `No longer with ${provider}: settlement ${settlementId}, line ${line}` },
  ])

/** What a settlement said and we did not, put right by somebody with a name. */
export const correctionJournal = ({ settlementId, number, entries, why, actor }: { settlementId: string; number: number; entries: readonly Omit<Entry, 'cause'>[]; why: string; actor: string }): Journal =>
  journal(`correction:${settlementId}:${number}`, 'correction', entries.map((e) => ({ ...e, cause: `${why}: settlement ${settlementId}, booked by ${actor}` })))

/** @throws BrokenInvariant where it does not sum to zero, or names an account twice */
function journal(journalId: string, kind: Journal['kind'], all: readonly Entry[]): Journal {
  const entries = all.filter((e) => e.amountMinor !== 0)
  invariant(entries.reduce((sum, e) => sum + e.amountMinor, 0) === 0, `journal ${journalId} sums to zero`)
  invariant(new Set(entries.map((e) => e.account)).size === entries.length, `journal ${journalId} names each account once`)
  return { journalId, kind, entries }
}
