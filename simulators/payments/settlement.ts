/**
 * What the provider pays out, and the file that says so: its itemized payout reconciliation, one line per change of the balance, with the fee it kept.
 * The file is made from the books each time it is asked for; what is to be wrong in it is set by a control call and stays wrong.
 */
import { Readable } from 'node:stream'
import type { Router } from 'express'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, words } from '../control-body'
import { disputeControl, isDisputed, openDispute } from './disputes'
import type { BalanceTransaction, Provider } from './records'

export const breakKinds = ['missing', 'doubled', 'wrong_amount', 'fee_difference', 'chargeback'] as const
export interface SettlementBreak {
  kind: Exclude<(typeof breakKinds)[number], 'chargeback'>
  /** By how much the amount or the fee is wrong. */
  byMinor: number
}
export interface SettlementBreaks {
  /** By balance transaction. */
  of: Map<string, SettlementBreak>
  /** For payments still to be captured. */
  waiting: SettlementBreak[]
}

export function settlementControl(routes: Router, provider: Provider): void {
  disputeControl(routes, provider)
  routes.get('/settlement.csv', (request, response) => {
    const { from, to } = request.query
    response.type('text/csv; charset=utf-8')
    Readable.from(csv(provider, secondsOf('from', from) ?? 0, secondsOf('to', to) ?? Infinity)).pipe(response)
  })
  routes.get('/settlement-breaks', (_request, response) => void response.json(answer(provider)))
  routes.delete('/settlement-breaks', (_request, response) => {
    provider.breaks.of.clear()
    provider.breaks.waiting.length = 0
    response.json(answer(provider))
  })
  routes.post('/settlement-breaks', (request, response) => {
    const { kind, next = 1, paymentIntent, byMinor = 100 } = checkBody(request.body, {
      kind: required(oneOf(breakKinds)),
      next: wholeNumber(1_000_000),
      paymentIntent: words,
      byMinor: wholeNumber(99_999_999),
    })
    for (let n = 0; n < next; n += 1) breakOne(provider, kind, byMinor, paymentIntent)
    provider.books.commit()
    response.json(answer(provider))
  })
}

const answer = ({ breaks }: Provider): object => ({ breaks: [...breaks.of].map(([transaction, wrong]) => ({ transaction, ...wrong })), waiting: breaks.waiting })

/** The oldest capture with nothing wrong yet, of the payment that is named; where there is none, the next one to come. */
function breakOne(provider: Provider, kind: (typeof breakKinds)[number], byMinor: number, intent: string | undefined): void {
  const { of, waiting } = provider.breaks
  const captures = provider.books.all('transaction').filter((t) => t.category === 'charge' && (intent === undefined || t.intent === intent))
  if (kind === 'chargeback') {
    const charge = captures.map((t) => provider.books.get('charge', t.charge)!).find((c) => !isDisputed(provider, c))
    if (!charge) throw new ControlRefusal(409, 'nothing was captured that could be charged back')
    return void openDispute(provider, charge)
  }
  const transaction = captures.find((t) => !of.has(t.id))
  if (transaction) of.set(transaction.id, { kind, byMinor })
  else if (intent !== undefined) throw new ControlRefusal(409, `nothing more was captured of ${intent}`)
  else waiting.push({ kind, byMinor })
}

const columns = [
  'automatic_payout_id', 'automatic_payout_effective_at', 'balance_transaction_id', 'created', 'available_on', 'currency', 'gross', 'fee', 'net', 'reporting_category', 'source_id',
  'description', 'charge_id', 'payment_intent_id', 'payment_metadata[orderId]', 'payment_metadata[paymentId]',
] as const

function* csv(provider: Provider, from: number, to: number): Generator<string> {
  yield `${columns.join(',')}\n`
  for (const transaction of provider.books.all('transaction')) {
    if (transaction.createdSeconds < from || transaction.createdSeconds >= to) continue
    const wrong = provider.breaks.of.get(transaction.id)
    if (wrong?.kind === 'missing') continue
    const line = lineOf(provider, transaction, wrong)
    yield wrong?.kind === 'doubled' ? line + line : line
  }
}

function lineOf(provider: Provider, t: BalanceTransaction, wrong: SettlementBreak | undefined): string {
  const grossMinor = t.grossMinor - (wrong?.kind === 'wrong_amount' ? wrong.byMinor : 0)
  const feeMinor = t.feeMinor + (wrong?.kind === 'fee_difference' ? wrong.byMinor : 0)
  const { metadata } = provider.books.get('intent', t.intent)!
  const created = new Date(t.createdSeconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')
  const amounts = [grossMinor, feeMinor, grossMinor - feeMinor].map((minor) => major(minor, t.currency))
  const payout = [`po_${created.slice(0, 10).replaceAll('-', '')}`, `${created.slice(0, 10)} 00:00:00`]
  const ids = [t.category, t.source, t.description, t.charge, t.intent, metadata.orderId ?? '', metadata.paymentId ?? '']
  return `${[...payout, t.id, created, created, t.currency, ...amounts, ...ids].map(quoted).join(',')}\n`
}

/** Amounts are in major units with the currency's digits, currencies in small letters. */
function major(minor: number, currency: string): string {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  return (minor / 10 ** digits).toFixed(digits)
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

function secondsOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,12}$/.test(value)) return Number(value)
  throw new ControlRefusal(400, `${name}: must be Unix seconds`)
}
