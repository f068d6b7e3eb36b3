/**
 * Something is sent in place of what was delivered, before or after that is back: the same again, or another at another price. What that costs more is held before anything is
 * changed; a bank that says no leaves all as it was.
 */
import { uuidv7 } from 'uuidv7'
import { ownDriver } from '../../domain/delivery/own-fleet'
import type { RequestReplacement } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import type { RefundOn } from '../../domain/policy/returns'
import { differencesOf, moneyOfExchange, type MoneyOfExchange, type PricedWish } from '../../domain/returns/exchange-money'
import type { LineTerms } from '../../domain/returns/terms'
import { Refusal, refuse, type RefusalCode } from '../../domain/refusals'
import { refuseErased } from '../erasure/erase'
import { rows, type Transaction } from '../connection'
import { record } from '../events'
import { heldForExchange, intendExchangeHold, letGoOfExchange, needCard, type ExchangeHold } from '../exchange-payments'
import { exchangeRefunds } from '../exchange-refunds'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { soldOf } from '../refunds'
import type { Shown } from '../return-terms'
import { insertReturn, returnable, type ReturnNews, type WantedLine } from '../returns'
import { allowed, auditOverride, free, summed, waitUntilBack, type Override } from './request-return'
import { sendReplacements, sourcingNow } from './send-replacements'
import { wantsLabel } from './unreturned'

export interface ReplacementAsked extends ReturnNews {
  /** Nothing is changed yet: this is to be held first. */
  holds?: ExchangeHold[]
}
type Ask = RequestReplacement & { orderId: string }

/** @throws as `requestReturn`, and `sku.unknown`, `exchange.not_payable` */
export async function requestReplacement(tx: Transaction, ask: Ask): Promise<ReplacementAsked> {
  const order = await lockOrder(tx, ask.orderId)
  const planned = await plan(tx, order, ask)
  const returnId = uuidv7()
  const { chargeMinor } = planned.money
  if (chargeMinor === 0) return carryOut(tx, order, ask, { ...planned, returnId })
  const deadline = new Date(Date.now() + durationMs(order.policy.payment.deadline)).toISOString()
  const hold = await intendExchangeHold(tx, { ...ask, returnId, role: 'difference', amountMinor: chargeMinor, deadline })
  return { returnId, status: 'requested', wait: null, refunds: [], toSource: false, holds: [hold] }
}

export type ReplacementFinished = ({ outcome: 'carried out' } & ReturnNews) | { outcome: 'failed'; code: RefusalCode; data: Record<string, unknown>; voids: string[] }

/** The bank has answered, or its time is over: the exchange takes place, or ends with nothing changed. Whatever has happened to the order meanwhile, the money that was held for it is used or let go. */
export async function finishReplacement(tx: Transaction, ask: Ask & { returnId: string; declineCode?: string }): Promise<ReplacementFinished> {
  const order = await lockOrder(tx, ask.orderId)
  try {
    const held = await heldForExchange(tx, ask.returnId)
    const news = await tx.transaction(async (inner) => {
      const planned = await plan(inner, order, ask)
      if (held.difference === 0) throw notHeld(ask)
      if (planned.money.chargeMinor > held.difference) throw refuse('exchange.price_changed', { heldMinor: held.difference, chargeMinor: planned.money.chargeMinor })
      return carryOut(inner, order, ask, { ...planned, returnId: ask.returnId })
    })
    return { outcome: 'carried out', ...news }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    await record(tx, order, { type: 'replacement.failed', actor: ask.actor, data: { lines: ask.lines.map(({ lineId, quantity, sku }) => ({ lineId, quantity, ...(sku !== undefined && { sku }) })), reason: cause.code } })
    return { outcome: 'failed', code: cause.code, data: cause.data, voids: await letGoOfExchange(tx, ask.returnId) }
  }
}

const notHeld = ({ declineCode }: { declineCode?: string }): Refusal => (declineCode === undefined ? refuse('payment.not_settled') : refuse('payment.declined', { declineCode }))

interface Planned {
  /** Nothing is kept of goods that others are sent for. */
  terms: LineTerms[]
  override: Override | undefined
  wanted: (WantedLine & PricedWish)[]
  money: MoneyOfExchange
  sends: 'now' | 'on_receipt'
}

/** Reads only. */
async function plan(tx: Transaction, order: OrderRow, ask: Pick<Ask, 'orderId' | 'lines' | 'collectOld' | 'staff' | 'paymentMethod'> & Shown & { actor: string }): Promise<Planned> {
  await refuseErased(tx, order.orderId)
  const { terms, override } = await allowed(tx, order, ask)
  if (ask.collectOld === 'at_door' && order.delivery.service !== ownDriver) throw refuse('return.no_driver', { instead: ['mail', 'store', 'none'] })
  const wanted = await wantedLines(tx, order, ask.lines)
  const money = moneyOfExchange(wanted)
  await needCard(tx, order.orderId, { amountMinor: money.chargeMinor, paymentMethod: ask.paymentMethod })
  return { terms: free(terms), override, wanted, money, sends: sendsAtOnce(order, ask) ? 'now' : 'on_receipt' }
}

const sendsAtOnce = (order: OrderRow, { collectOld }: Pick<Ask, 'collectOld'>): boolean => collectOld === 'none' || collectOld === 'at_door' || order.policy.returns.replaceFirst === true

/** Without another SKU: the same again. Without another price: what the old ones were paid with. */
async function wantedLines(tx: Transaction, { orderId }: OrderRow, lines: Ask['lines']): Promise<Planned['wanted']> {
  const named = [...new Set(lines.flatMap((l) => (l.sku === undefined ? [] : [l.sku])))]
  const known = new Set((await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [named])).map((s) => s.sku))
  const unknown = named.find((sku) => !known.has(sku))
  if (unknown !== undefined) throw refuse('sku.unknown', { sku: unknown }, `No SKU ${unknown}`)
  const sold = await soldOf(tx, orderId)
  return differencesOf(sold, lines).map((priced, i) => ({ ...priced, sku: lines[i]!.sku ?? sold.lines.find((l) => l.lineId === priced.lineId)!.sku }))
}

async function carryOut(tx: Transaction, order: OrderRow, ask: Ask, { returnId, terms, override, wanted, money, sends }: Planned & { returnId: string }): Promise<ReturnNews> {
  if (override) await auditOverride(tx, ask, override)
  const nothingBack = ask.collectOld === 'none'
  const wait = nothingBack ? null : waitUntilBack(order, true)
  const status = nothingBack ? ('closed' as const) : ('approved' as const)
  const early = sends === 'now' && (nothingBack || order.policy.returns.refundOn === 'request') && money.refundMinor > 0
  const dueAt = wait?.deadline ?? new Date().toISOString()
  await insertReturn(tx, { ...ask, returnId, dueAt, wait, method: ask.collectOld, status, remedy: 'replacement', inAdvance: early, feeMinor: 0, terms, override, wanted: sends === 'now' ? null : wanted })
  const lines = ask.lines.map(({ lineId, quantity, reason, sku, unitPriceMinor }) => ({ lineId, quantity, reason, ...(sku !== undefined && { sku }), ...(unitPriceMinor !== undefined && { unitPriceMinor }) }))
  const { chargeMinor, refundMinor } = money
  const moves = chargeMinor + refundMinor > 0 && { chargeMinor, refundMinor, currency: order.currency }
  await record(tx, order, { type: 'replacement.requested', actor: ask.actor, data: { returnId, collectOld: ask.collectOld, lines, sends: sends === 'now' ? 'now' : 'once the old goods are back', ...moves, ...(override && { override }) } })
  const sent = sends === 'now' ? await sendReplacements(tx, order, { returnId, wanted, actor: ask.actor }) : {}
  const refunds = early ? await exchangeRefunds(tx, order, { returnId, lines: ask.lines.map((l) => ({ ...l, received: 0 })), early }, `refund:${returnId}:0`) : []
  await refreshOrder(tx, ask.orderId, sends === 'now' ? sourcingNow() : undefined)
  return { returnId, status, wait, refunds, toSource: sends === 'now', ...sent, ...(status === 'approved' && wantsLabel(order, { method: ask.collectOld }) && { label: true }) }
}

export interface ReplacementPreview {
  preview: true
  goods: { back: { lineId: string; sku: string; quantity: number }[]; sent: { lineId: string; sku: string; quantity: number }[]; sends: 'now' | 'on_receipt' }
  override?: object
  money: MoneyOfExchange & { currency: string; refundOn: RefundOn; lines: { lineId: string; sku: string; quantity: number; paidMinor: number; deltaMinor: number }[] }
}

/** What a replacement would move, nothing done. @throws as `requestReplacement` */
export async function previewReplacement(tx: Transaction, ask: Omit<Parameters<typeof plan>[2], 'actor'>): Promise<ReplacementPreview> {
  const order = await lockOrder(tx, ask.orderId)
  const { override, wanted, money, sends } = await plan(tx, order, { ...ask, actor: '' })
  const has = await returnable(tx, ask.orderId)
  const back = ask.collectOld === 'none' ? [] : summed(ask.lines).map((l) => ({ ...l, sku: has.find((h) => h.lineId === l.lineId)!.sku }))
  return {
    preview: true,
    goods: { back, sent: wanted.map(({ lineId, quantity, sku }) => ({ lineId, quantity, sku })), sends },
    ...(override && { override }),
    money: {
      currency: order.currency, ...money, refundOn: ask.collectOld === 'none' ? 'request' : (order.policy.returns.refundOn ?? 'receipt'),
      lines: wanted.map(({ lineId, sku, quantity, paidMinor, deltaMinor }) => ({ lineId, sku, quantity, paidMinor, deltaMinor })),
    },
  }
}
