/**
 * Something is sent in place of what was delivered, before or after that is back: the same again, or another at another price. What that costs more is held before anything is
 * changed, and where it leaves in advance, the value of the old goods too; a bank that says no leaves all as it was.
 */
import { uuidv7 } from 'uuidv7'
import { ownDriver } from '../../domain/delivery/own-fleet'
import type { RequestReplacement } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import type { RefundOn } from '../../domain/policy/returns'
import { differencesOf, moneyOfExchange, type MoneyOfExchange, type PricedWish } from '../../domain/returns/exchange-money'
import { refundOnOf, type LineTerms } from '../../domain/returns/terms'
import { refuse, type RefusalCode } from '../../domain/refusals'
import { refuseErased } from '../erasure/erase'
import { rows, type Transaction } from '../connection'
import { record } from '../events'
import { heldForExchange, intendExchangeHold, letGoOfExchange, needCard, type ExchangeHold, type ExchangeRole } from '../exchange-payments'
import { exchangeRefunds } from '../exchange-refunds'
import { refuseIfHeld } from '../holds'
import { endedBy } from '../integrity'
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

/** What is to be held first is not begun while payment is held. @throws as `requestReturn`, and `sku.unknown`, `exchange.not_payable`, `exchange.not_in_advance`, `order.held` */
export async function requestReplacement(tx: Transaction, ask: Ask): Promise<ReplacementAsked> {
  const order = await lockOrder(tx, ask.orderId)
  const planned = await plan(tx, order, ask)
  await mayHold(tx, order, planned)
  const returnId = uuidv7()
  const deadline = new Date(Date.now() + durationMs(order.policy.payment.deadline)).toISOString()
  const holds: ExchangeHold[] = []
  for (const [role, amountMinor] of [['difference', planned.money.chargeMinor], ['guard', planned.guardMinor]] as const)
    if (amountMinor > 0) holds.push(await intendExchangeHold(tx, { ...ask, returnId, role, amountMinor, deadline }))
  if (holds.length === 0) return carryOut(tx, order, ask, { ...planned, returnId })
  return { returnId, status: 'requested', wait: null, refunds: [], toSource: false, holds }
}

/** @throws `order.held` */
async function mayHold(tx: Transaction, order: OrderRow, { money, guardMinor }: Planned): Promise<void> {
  if (money.chargeMinor + guardMinor > 0) await refuseIfHeld(tx, order, 'payment')
}

export type ReplacementFinished = ({ outcome: 'carried out' } & ReturnNews) | { outcome: 'failed'; code: RefusalCode; data: Record<string, unknown>; voids: string[] }

/** The bank has answered, or its time is over: the exchange takes place, or ends with nothing changed. Whatever has happened to the order meanwhile, the money that was held for it is used or let go. */
export async function finishReplacement(tx: Transaction, ask: Ask & { returnId: string; declineCode?: string }): Promise<ReplacementFinished> {
  const order = await lockOrder(tx, ask.orderId)
  try {
    const held = await heldForExchange(tx, ask.returnId)
    const news = await tx.transaction(async (inner) => {
      const planned = await plan(inner, order, ask)
      needHeld(planned, held, ask)
      return carryOut(inner, order, ask, { ...planned, returnId: ask.returnId })
    })
    return { outcome: 'carried out', ...news }
  } catch (error) {
    const cause = endedBy(error)
    await record(tx, order, { type: 'replacement.failed', actor: ask.actor, data: { lines: ask.lines.map(({ lineId, quantity, sku }) => ({ lineId, quantity, ...(sku !== undefined && { sku }) })), reason: cause.code } })
    return { outcome: 'failed', code: cause.code, data: cause.data, voids: await letGoOfExchange(tx, ask.returnId) }
  }
}

/** @throws `payment.declined`, `payment.not_settled`, `exchange.not_secured`, `exchange.price_changed` */
function needHeld({ money: { chargeMinor }, guardMinor }: Planned, held: Record<ExchangeRole, number>, { declineCode }: { declineCode?: string }): void {
  const why = declineCode === undefined ? {} : { declineCode }
  if (chargeMinor > 0 && held.difference === 0) throw refuse(declineCode === undefined ? 'payment.not_settled' : 'payment.declined', why)
  if (guardMinor > 0 && held.guard === 0) throw refuse('exchange.not_secured', { amountMinor: guardMinor, ...why, instead: ['on_receipt'] })
  if (chargeMinor > held.difference || guardMinor > held.guard) throw refuse('exchange.price_changed', { heldMinor: held.difference + held.guard, chargeMinor: chargeMinor + guardMinor })
}

interface Planned {
  /** Nothing is kept of goods that others are sent for. */
  terms: LineTerms[]
  override: Override | undefined
  wanted: (WantedLine & PricedWish)[]
  money: MoneyOfExchange
  sends: 'now' | 'on_receipt'
  /** To be held over the old goods until they are back. */
  guardMinor: number
}

/** Reads only. */
async function plan(tx: Transaction, order: OrderRow, ask: Pick<Ask, 'orderId' | 'lines' | 'collectOld' | 'send' | 'staff' | 'paymentMethod'> & Shown & { actor: string }): Promise<Planned> {
  await refuseErased(tx, order.orderId)
  const { terms, override } = await allowed(tx, order, ask)
  if (ask.collectOld === 'at_door' && order.delivery.service !== ownDriver) throw refuse('return.no_driver', { instead: ['mail', 'store', 'none'] })
  const wanted = await wantedLines(tx, order, ask.lines)
  const money = moneyOfExchange(wanted)
  const sends = whenSent(order, ask)
  const isGuarded = sends === 'now' && comesBackLater(ask) && order.policy.returns.advance?.hold === true
  const guardMinor = isGuarded ? wanted.reduce((sum, w) => sum + w.paidMinor, 0) : 0
  await needCard(tx, order.orderId, { amountMinor: money.chargeMinor + guardMinor, paymentMethod: ask.paymentMethod })
  return { terms: free(terms), override, wanted, money, sends, guardMinor }
}

/** Neither not at all nor at the door where the new goods are handed over. */
const comesBackLater = ({ collectOld }: Pick<Ask, 'collectOld'>): boolean => collectOld === 'mail' || collectOld === 'store'

/** As asked for where the policy allows it, or one of us asks. @throws `exchange.not_in_advance` */
function whenSent({ policy }: OrderRow, ask: Pick<Ask, 'collectOld' | 'send' | 'staff'>): 'now' | 'on_receipt' {
  if (!comesBackLater(ask)) return 'now'
  const inAdvance = policy.returns.advance !== undefined || policy.returns.replaceFirst === true
  if (ask.send === 'now' && !inAdvance && !ask.staff) throw refuse('exchange.not_in_advance', { instead: ['on_receipt'] })
  return ask.send ?? (inAdvance ? 'now' : 'on_receipt')
}

/** Without another SKU: the same again. Without another price: what the old ones were paid with. */
async function wantedLines(tx: Transaction, { orderId }: OrderRow, lines: Ask['lines']): Promise<Planned['wanted']> {
  const named = [...new Set(lines.flatMap((l) => (l.sku === undefined ? [] : [l.sku])))]
  const known = new Set((await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [named])).map((s) => s.sku))
  const unknown = named.find((sku) => !known.has(sku))
  if (unknown !== undefined) throw refuse('sku.unknown', { sku: unknown }, `No SKU ${unknown}`)
  const sold = await soldOf(tx, orderId)
  return differencesOf(sold, lines).map((priced, i) => ({ ...priced, sku: lines[i]!.sku ?? sold.lines.find((l) => l.lineId === priced.lineId)!.sku }))
}

async function carryOut(tx: Transaction, order: OrderRow, ask: Ask, { returnId, terms, override, wanted, money, sends, guardMinor }: Planned & { returnId: string }): Promise<ReturnNews> {
  if (override) await auditOverride(tx, ask, override)
  const nothingBack = ask.collectOld === 'none'
  const wait = nothingBack ? null : waitUntilBack(order, true)
  const status = nothingBack ? ('closed' as const) : ('approved' as const)
  const refundOn = nothingBack ? 'request' : refundOnOf(terms)
  const early = sends === 'now' && (nothingBack || refundOn === 'request') && money.refundMinor > 0
  const dueAt = wait?.deadline ?? new Date().toISOString()
  await insertReturn(tx, { ...ask, returnId, dueAt, wait, method: ask.collectOld, status, remedy: 'replacement', inAdvance: early, refundOn, feeMinor: 0, terms, override, wanted: sends === 'now' ? null : wanted })
  const lines = ask.lines.map(({ lineId, quantity, reason, sku, unitPriceMinor }) => ({ lineId, quantity, reason, ...(sku !== undefined && { sku }), ...(unitPriceMinor !== undefined && { unitPriceMinor }) }))
  const { chargeMinor, refundMinor } = money
  const moves = chargeMinor + refundMinor + guardMinor > 0 && { chargeMinor, refundMinor, ...(guardMinor > 0 && { guardMinor }), currency: order.currency }
  await record(tx, order, { type: 'replacement.requested', actor: ask.actor, data: { returnId, collectOld: ask.collectOld, lines, sends: sends === 'now' ? 'now' : 'once the old goods are back', ...moves, ...(override && { override }) } })
  const sent = sends === 'now' ? await sendReplacements(tx, order, { returnId, wanted, actor: ask.actor }) : {}
  const refunds = early ? await exchangeRefunds(tx, order, { returnId, lines: ask.lines.map((l) => ({ ...l, received: 0 })), early }, `refund:${returnId}:0`) : []
  await refreshOrder(tx, ask.orderId, sends === 'now' ? sourcingNow() : undefined)
  const label = status === 'approved' && wantsLabel(order, { method: ask.collectOld }) && { label: true as const }
  return { returnId, status, wait, refunds, toSource: sends === 'now', ...sent, ...label, ...(guardMinor > 0 && { guarded: true }) }
}

export interface ReplacementPreview {
  preview: true
  goods: { back: { lineId: string; sku: string; quantity: number }[]; sent: { lineId: string; sku: string; quantity: number }[]; sends: 'now' | 'on_receipt' }
  override?: object
  money: MoneyOfExchange & { currency: string; guard?: { amountMinor: number; until: string }; refundOn: RefundOn; lines: { lineId: string; sku: string; quantity: number; paidMinor: number; deltaMinor: number }[] }
}

/** What a replacement would move, nothing done. @throws as `requestReplacement` */
export async function previewReplacement(tx: Transaction, ask: Omit<Parameters<typeof plan>[2], 'actor'>): Promise<ReplacementPreview> {
  const order = await lockOrder(tx, ask.orderId)
  const planned = await plan(tx, order, { ...ask, actor: '' })
  await mayHold(tx, order, planned)
  const { terms, override, wanted, money, sends, guardMinor } = planned
  const has = await returnable(tx, ask.orderId)
  const back = ask.collectOld === 'none' ? [] : summed(ask.lines).map((l) => ({ ...l, sku: has.find((h) => h.lineId === l.lineId)!.sku }))
  return {
    preview: true,
    goods: { back, sent: wanted.map(({ lineId, quantity, sku }) => ({ lineId, quantity, sku })), sends },
    ...(override && { override }),
    money: {
      currency: order.currency, ...money, ...(guardMinor > 0 && { guard: { amountMinor: guardMinor, until: waitUntilBack(order, true).deadline } }), refundOn: ask.collectOld === 'none' ? 'request' : refundOnOf(terms),
      lines: wanted.map(({ lineId, sku, quantity, paidMinor, deltaMinor }) => ({ lineId, sku, quantity, paidMinor, deltaMinor })),
    },
  }
}
