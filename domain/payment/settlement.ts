/**
 * The provider's file of what it paid out, as far as it can be judged line by line: Stripe's itemized payout reconciliation
 * (docs.stripe.com/reports/report-types/payout-reconciliation). Amounts are in major units of the line's currency.
 */
import { isCurrency, parseMinor } from '../money'
import type { Account } from './ledger'

/** Columns that must be there, in any order; others are ignored. */
export const settlementColumns = ['balance_transaction_id', 'created', 'currency', 'gross', 'fee', 'net', 'reporting_category', 'payment_intent_id'] as const
export type SettlementColumn = (typeof settlementColumns)[number]

/** Where each column is, by the file's first line. @returns what is wrong with it instead. */
export function settlementHeader(cells: readonly string[]): Record<SettlementColumn, number> | string {
  const missing = settlementColumns.filter((name) => !cells.includes(name))
  if (missing.length) return `the columns ${missing.join(', ')} are missing`
  const twice = settlementColumns.find((name) => cells.indexOf(name) !== cells.lastIndexOf(name))
  if (twice) return `the column ${twice} is there twice`
  return Object.fromEntries(settlementColumns.map((name) => [name, cells.indexOf(name)])) as Record<SettlementColumn, number>
}

export interface SettlementLine {
  transactionId: string
  /** The operation it can be held against; null for anything else the provider books. */
  kind: 'capture' | 'refund' | null
  category: string
  /** The payment at the provider. */
  reference: string
  currency: string
  /** Of a refund: below zero. */
  grossMinor: number
  feeMinor: number
  netMinor: number
  createdAt: string
}

/** A line's values. @returns why it cannot be read instead. */
export function settlementLine(cells: readonly string[], at: Record<SettlementColumn, number>): SettlementLine | string {
  const cell = (name: SettlementColumn): string => (cells[at[name]] ?? '').trim()
  const [transactionId, category, reference] = [cell('balance_transaction_id'), cell('reporting_category'), cell('payment_intent_id')]
  if (!/^[\x21-\x7e]{1,255}$/.test(transactionId)) return 'balance_transaction_id is no id'
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(category)) return 'reporting_category is no category'
  if (!/^[\x21-\x7e]{0,255}$/.test(reference)) return 'payment_intent_id is no id'
  const currency = cell('currency').toUpperCase()
  if (!isCurrency(currency)) return `currency ${currency.slice(0, 20)} is not known`
  const [grossMinor, feeMinor, netMinor] = (['gross', 'fee', 'net'] as const).map((name) => parseMinor(cell(name), currency))
  if (grossMinor === undefined || feeMinor === undefined || netMinor === undefined) return 'gross, fee or net is no amount'
  if (grossMinor - feeMinor !== netMinor) return 'gross − fee is not net'
  const createdAt = instantOf(cell('created'))
  if (createdAt === undefined) return 'created is no time'
  return { transactionId, kind: kindOf(category, grossMinor), category, reference, currency, grossMinor, feeMinor, netMinor, createdAt }
}

/** The currency a line names, where it names one that cannot be: then the file is not for us at all. */
export function foreignCurrency(cells: readonly string[], at: Record<SettlementColumn, number>): string | undefined {
  const currency = (cells[at.currency] ?? '').trim().toUpperCase()
  return /^[A-Z]{3}$/.test(currency) && !isCurrency(currency) ? currency : undefined
}

function kindOf(category: string, grossMinor: number): SettlementLine['kind'] {
  if (category === 'charge') return grossMinor > 0 ? 'capture' : null
  return category === 'refund' && grossMinor < 0 ? 'refund' : null
}

/** `2026-11-23 09:00:00`, UTC. */
function instantOf(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined
  const ms = Date.parse(`${text.replace(' ', 'T')}Z`)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** What does not agree, or cannot be matched. */
export const breakReasons = ['missing', 'doubled', 'wrong_amount', 'fee_difference', 'chargeback', 'unknown', 'unreadable'] as const
export type BreakReason = (typeof breakReasons)[number]

/** What finance would do about it. `entries` put the books right once that is agreed; none where nothing is to be booked yet. */
export interface Correction {
  words: string
  entries: readonly { account: Account; amountMinor: number }[]
}

export interface Differing {
  oursMinor: number
  theirsMinor: number
  /** What the provider keeps by the line, where there is one. */
  feeMinor?: number
  provider: string
  /** No payment of ours is meant. */
  stranger?: boolean
}

/** @param differing.oursMinor, differing.theirsMinor the amounts that differ; of a fee difference, the fees */
export function correctionOf(reason: BreakReason, { oursMinor, theirsMinor, feeMinor = 0, provider, stranger = false }: Differing): Correction {
  const clearing = `provider_clearing:${provider}` as const
  /** As the line says: what has come to the bank, less what the provider kept. */
  const paidOut = (against: Account, differenceMinor = 0): Correction['entries'] => {
    const all: Correction['entries'] = [{ account: 'bank', amountMinor: theirsMinor - feeMinor }, { account: 'fees', amountMinor: feeMinor }, { account: against, amountMinor: -(theirsMinor + differenceMinor) }]
    return [...all, ...entries('adjustments', against, differenceMinor).slice(0, 1)].filter((e) => e.amountMinor !== 0)
  }
  switch (reason) {
    case 'missing':
      return { words: `Ask ${provider} when it pays this out; when it does, the case settles itself`, entries: [] }
    case 'doubled':
      return { words: `Expect ${provider} to take the second payment back; until then we owe it to ${provider}`, entries: paidOut(clearing) }
    case 'wrong_amount':
      return { words: `Ask ${provider} for the difference; if it stands, write it off`, entries: paidOut(clearing, oursMinor - theirsMinor) }
    case 'fee_difference':
      return { words: `Ask ${provider} for the part of the fee that was not agreed`, entries: entries(clearing, 'fees', theirsMinor - oursMinor) }
    case 'chargeback':
      return { words: `Answer the dispute at the provider, or accept it. What the bank takes and gives back is in the ledger since ${provider} told of it; it leaves what ${provider} owes with this line`, entries: paidOut(stranger ? 'adjustments' : clearing) }
    case 'unknown':
      return { words: 'Find out at the provider what this is: no operation of ours belongs to it', entries: paidOut(clearing) }
    case 'unreadable':
      return { words: 'Ask the provider for the file again; this line counts for nothing', entries: [] }
  }
}

const entries = (debit: Account, credit: Account, amountMinor: number): Correction['entries'] =>
  amountMinor === 0 ? [] : [{ account: debit, amountMinor }, { account: credit, amountMinor: -amountMinor }]
