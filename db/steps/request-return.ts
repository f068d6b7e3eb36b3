/** Something is to come back: by the rules of the order, or let through by a person; refunded at once where the policy trusts. Or it is replaced, before or after it is back. */
import { uuidv7 } from 'uuidv7'
import type { RequestReplacement, RequestReturn } from '../../domain/messages'
import { ownDriver } from '../../domain/delivery/own-fleet'
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { refundMinor, type RefundParts } from '../../domain/returns/refund'
import { feesOf, type LineTerms, type Objection } from '../../domain/returns/terms'
import { canFetch, queueFetching } from '../collections'
import { rows, run, type Transaction } from '../connection'
import { writeAudit } from '../audit'
import { record } from '../events'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { giveCredit, intendRefund, refundFor } from '../refunds'
import { judge, refusalOf, type Shown } from '../return-terms'
import { insertReturn, returnable, type ReturnNews, type WantedLine } from '../returns'
import { openException } from '../waiting'

/**
 * Goods are to come back, or are paid back without: then the return is over as soon as it is asked for.
 * @throws `return.quantity`, `return.window_closed`, `return.final_sale`, `return.no_driver`, `order.already_cancelled`, `claim.no_customer`
 */
export async function requestReturn(tx: Transaction, ask: RequestReturn & { orderId: string }): Promise<ReturnNews> {
  const order = await lockOrder(tx, ask.orderId)
  const { terms, override } = await allowed(tx, order, ask)
  if (override) await auditOverride(tx, ask, override)
  const { feeMinor, approved, inAdvance } = termsFor(order, ask, terms)
  const returnId = uuidv7()
  const wait = ask.method === 'none' ? null : waitUntilBack(order, approved)
  const status = wait === null ? 'closed' : approved ? 'approved' : 'requested'
  const dueAt = wait?.deadline ?? new Date().toISOString()
  const kept = ask.method === 'none' ? free(terms) : terms
  await insertReturn(tx, { ...ask, returnId, dueAt, wait, status, remedy: ask.remedy ?? 'refund', inAdvance, feeMinor, terms: kept, override, wanted: null })
  const lines = ask.lines.map(({ lineId, quantity, reason }) => ({ lineId, quantity, reason }))
  await record(tx, order, { type: 'return.requested', actor: ask.actor, data: { returnId, method: ask.method, lines, approved, ...(override && { override }) } })
  if (status === 'approved' && ask.method === 'courier' && !(await queueFetching(tx, returnId))) throw refuse('return.no_driver', { instead: ['mail', 'store'] })
  if (!approved) await askForApproval(tx, order, { returnId, lines, deadline: dueAt })
  const refund = { purpose: `refund:${returnId}:0`, back: lines, feeMinor, cause: { returnId } }
  if (ask.remedy === 'credit') await giveCredit(tx, order, { ...refund, actor: ask.actor })
  const refunds = inAdvance && ask.remedy === undefined ? await intendRefund(tx, order, refund) : []
  await refreshOrder(tx, ask.orderId)
  return { returnId, status, wait, refunds, toSource: false }
}

/** Nothing is kept of it, whatever the policy says of what is sent back. */
const free = (terms: readonly LineTerms[]): LineTerms[] => terms.map((t) => ({ ...t, feeMinor: 0 }))

/** What a customer's request comes to by the order's own policy. */
function termsFor(order: OrderRow, { staff, method }: Pick<RequestReturn, 'staff' | 'method'>, terms: readonly LineTerms[]): { feeMinor: number; approved: boolean; inAdvance: boolean; refundOn: 'receipt' | 'collection' | 'request' } {
  const { refundOn = 'receipt', approval = 'automatic' } = order.policy.returns
  const approved = approval === 'automatic' || staff
  if (method === 'none') return { feeMinor: 0, approved, inAdvance: true, refundOn: 'request' }
  return { feeMinor: feesOf(terms), approved, inAdvance: approved && refundOn === 'request', refundOn }
}

export interface ReturnPreview {
  preview: true
  /** Whether a person has still to agree. */
  approved: boolean
  goods: { lineId: string; sku: string; quantity: number }[]
  /** Of each line, by which rule. */
  terms: LineTerms[]
  /** What the policy says against it, let through because one of us asks. */
  override?: object
  money: RefundParts & { currency: string; refundMinor: number; refundOn: 'receipt' | 'collection' | 'request' }
}

/** What a return would move, nothing done. @throws as `requestReturn` */
export async function previewReturn(tx: Transaction, ask: Omit<Terms, 'actor'> & Pick<RequestReturn, 'method'>): Promise<ReturnPreview> {
  const order = await lockOrder(tx, ask.orderId)
  const { terms, override } = await allowed(tx, order, { ...ask, actor: '' })
  if (ask.method === 'courier' && !(await canFetch(tx, ask.orderId))) throw refuse('return.no_driver', { instead: ['mail', 'store'] })
  const { feeMinor, approved, refundOn } = termsFor(order, ask, terms)
  const parts = await refundFor(tx, ask.orderId, ask.lines, { feeMinor })
  const has = await returnable(tx, ask.orderId)
  const goods = summed(ask.lines).map((l) => ({ ...l, sku: has.find((h) => h.lineId === l.lineId)!.sku }))
  return { preview: true, approved, goods, terms: ask.method === 'none' ? free(terms) : terms, ...(override && { override }), money: { currency: order.currency, refundMinor: refundMinor(parts), ...parts, refundOn } }
}

/**
 * The same again, or another of the same price: sent at once where the driver swaps at the door or nothing is to come back, else once the old goods are there.
 * @throws as `requestReturn`, and `sku.unknown`
 */
export async function requestReplacement(tx: Transaction, ask: RequestReplacement & { orderId: string }): Promise<ReturnNews> {
  const order = await lockOrder(tx, ask.orderId)
  const { terms, override } = await allowed(tx, order, ask)
  needDriver(order, ask)
  if (override) await auditOverride(tx, ask, override)
  const wanted = await wantedLines(tx, order, ask.lines)
  const nothingBack = ask.collectOld === 'none'
  const now = sendsAtOnce(order, ask)
  const wait = nothingBack ? null : waitUntilBack(order, true)
  const [returnId, status] = [uuidv7(), nothingBack ? ('closed' as const) : ('approved' as const)]
  const dueAt = wait?.deadline ?? new Date().toISOString()
  await insertReturn(tx, { ...ask, returnId, dueAt, wait, method: ask.collectOld, status, remedy: 'replacement', inAdvance: false, feeMinor: 0, terms: free(terms), override, wanted: now ? null : wanted })
  const lines = ask.lines.map(({ lineId, quantity, reason, sku }) => ({ lineId, quantity, reason, ...(sku !== undefined && { sku }) }))
  await record(tx, order, { type: 'replacement.requested', actor: ask.actor, data: { returnId, collectOld: ask.collectOld, lines, sends: now ? 'now' : 'once the old goods are back', ...(override && { override }) } })
  if (now) await addReplacements(tx, order, wanted)
  else await refreshOrder(tx, ask.orderId)
  return { returnId, status, wait, refunds: [], toSource: now }
}

/** Only our own drivers take something along. @throws `return.no_driver` */
function needDriver(order: OrderRow, { collectOld }: Pick<RequestReplacement, 'collectOld'>): void {
  if (collectOld === 'at_door' && order.delivery.service !== ownDriver) throw refuse('return.no_driver', { instead: ['mail', 'store', 'none'] })
}

const sendsAtOnce = (order: OrderRow, { collectOld }: Pick<RequestReplacement, 'collectOld'>): boolean =>
  collectOld === 'none' || collectOld === 'at_door' || order.policy.returns.replaceFirst === true

export interface ReplacementPreview {
  preview: true
  goods: { back: { lineId: string; sku: string; quantity: number }[]; sent: WantedLine[]; sends: 'now' | 'on_receipt' }
  override?: object
  money: { currency: string; chargeMinor: number; refundMinor: number }
}

/** What a replacement would move, nothing done. @throws as `requestReplacement` */
export async function previewReplacement(tx: Transaction, ask: Omit<Terms, 'actor'> & Pick<RequestReplacement, 'lines' | 'collectOld'>): Promise<ReplacementPreview> {
  const order = await lockOrder(tx, ask.orderId)
  const { override } = await allowed(tx, order, { ...ask, actor: '' })
  needDriver(order, ask)
  const sent = await wantedLines(tx, order, ask.lines)
  const has = await returnable(tx, ask.orderId)
  const back = ask.collectOld === 'none' ? [] : summed(ask.lines).map((l) => ({ ...l, sku: has.find((h) => h.lineId === l.lineId)!.sku }))
  return {
    preview: true,
    goods: { back, sent, sends: sendsAtOnce(order, ask) ? 'now' : 'on_receipt' },
    ...(override && { override }),
    money: { currency: order.currency, chargeMinor: 0, refundMinor: 0 },
  }
}

/** Asked for from the Temporal UI, where nobody waits for the answer: the timeline and an exception tell it. */
export async function noteRefusedReturn(tx: Transaction, ask: { orderId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> {
  const order = await lockOrder(tx, ask.orderId)
  const data = { code: ask.code, ...ask.data }
  await record(tx, order, { type: 'return.refused', actor: ask.actor, data })
  await openException(tx, { ...order, kind: 'return.refused', subject: ask.orderId, owner: 'support', summary: 'A replacement asked for from the Temporal UI could not be done: the data says why', data })
}

/** The lines that stand for what is sent in place of others: they cost nothing, as what they replace stays paid for. */
export async function addReplacements(tx: Transaction, order: OrderRow, wanted: readonly WantedLine[]): Promise<void> {
  await run(
    tx,
    `INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price_minor, discount_minor, tax_minor, replaces)
     SELECT :orderId, 'r' || (b.replaced + w.number) || '-' || coalesce(l.replaces, l.line_id), b.positions + w.number, w.sku, w.quantity, 0, 0, 0, coalesce(l.replaces, l.line_id)
     FROM (SELECT count(*) FILTER (WHERE replaces IS NOT NULL)::int AS replaced, max(position)::int AS positions FROM order_lines WHERE order_id = :orderId) b,
       jsonb_to_recordset(:wanted::jsonb) AS w("lineId" text, sku text, quantity int, number int) JOIN order_lines l ON l.order_id = :orderId AND l.line_id = w."lineId"`,
    { orderId: order.orderId, wanted: JSON.stringify(wanted.map((w, i) => ({ ...w, number: i + 1 }))) },
  )
  await refreshOrder(tx, order.orderId, { what: 'sourcing', since: new Date().toISOString(), deadline: null })
}

interface Terms extends Shown {
  orderId: string
  lines: readonly { lineId: string; quantity: number; reason: string }[]
  /** One of us asks, who may go beyond the policy. */
  staff: boolean
  actor: string
}

/** Who let it through, and what spoke against it. */
interface Override {
  by: string
  rule: string
  /** By their names. */
  rules: string[]
  also?: Objection[]
  [why: string]: unknown
}

/** @returns by which rule each line comes back, and what a person lets through against the policy. */
async function allowed(tx: Transaction, order: OrderRow, ask: Terms): Promise<{ terms: LineTerms[]; override?: Override }> {
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  const has = await returnable(tx, ask.orderId)
  for (const { lineId, quantity } of summed(ask.lines)) {
    const open = has.find((l) => l.lineId === lineId)?.available ?? 0
    if (quantity > open) throw refuse('return.quantity', { lineId, open, given: quantity })
  }
  const { terms, against } = await judge(tx, order, ask.lines, ask)
  const [gravest, ...also] = against
  if (!gravest) return { terms }
  if (!ask.staff) throw refusalOf(gravest)
  const { by: rules, ...why } = gravest
  return { terms, override: { by: ask.actor, ...why, rules, ...(also.length > 0 && { also }) } }
}

const auditOverride = (tx: Transaction, ask: Terms, { rule, rules, also = [] }: Override): Promise<void> => {
  const all = [{ rule, by: rules }, ...also]
  return writeAudit(tx, { actor: ask.actor, action: 'return.override', subject: ask.orderId, cause: all.map((o) => `${o.rule} (${o.by.join(', ')})`).join(', ') })
}

function summed(lines: readonly { lineId: string; quantity: number }[]): { lineId: string; quantity: number }[] {
  const sums = new Map<string, number>()
  for (const { lineId, quantity } of lines) sums.set(lineId, (sums.get(lineId) ?? 0) + quantity)
  return [...sums].map(([lineId, quantity]) => ({ lineId, quantity }))
}

async function askForApproval(tx: Transaction, order: OrderRow, { returnId, lines, deadline }: { returnId: string; lines: readonly object[]; deadline: string }): Promise<void> {
  await openException(tx, { ...order, kind: 'return.to_approve', subject: returnId, owner: 'support', summary: 'A customer wants to send something back: agree or refuse', data: { returnId, lines }, deadline })
}

/** Without another SKU: the same again. */
async function wantedLines(tx: Transaction, order: OrderRow, lines: RequestReplacement['lines']): Promise<WantedLine[]> {
  const sold = await rows<{ lineId: string; sku: string }>(tx, 'SELECT line_id AS "lineId", sku FROM order_lines WHERE order_id = ?', [order.orderId])
  const named = [...new Set(lines.flatMap((l) => (l.sku === undefined ? [] : [l.sku])))]
  const known = new Set((await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [named])).map((s) => s.sku))
  const unknown = named.find((sku) => !known.has(sku))
  if (unknown !== undefined) throw refuse('sku.unknown', { sku: unknown }, `No SKU ${unknown}`)
  return lines.map(({ lineId, quantity, sku }) => ({ lineId, quantity, sku: sku ?? sold.find((l) => l.lineId === lineId)!.sku }))
}

/** Goods are out there, or a person has first to agree: until the policy wants them back. */
const waitUntilBack = (order: OrderRow, approved: boolean): { what: 'return' | 'approval'; since: string; deadline: string } => ({
  what: approved ? 'return' : 'approval',
  since: new Date().toISOString(),
  deadline: new Date(Date.now() + durationMs(order.policy.returns.restockBy)).toISOString(),
})
