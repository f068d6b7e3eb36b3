/** Something is to come back: by the rules of the order, or let through by a person; refunded at once where the policy trusts. */
import { uuidv7 } from 'uuidv7'
import type { RequestReturn } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import type { RefundOn } from '../../domain/policy/returns'
import { refuse } from '../../domain/refusals'
import type { Units } from '../../domain/payment/shares'
import { feeOfUnits, type FeesSoFar } from '../../domain/returns/fees'
import { refundMinor, type RefundParts } from '../../domain/returns/refund'
import { feesOf, refundOnOf, type LineTerms, type Objection } from '../../domain/returns/terms'
import { canFetch, queueFetching } from '../collections'
import { judged } from '../ceilings'
import type { Transaction } from '../connection'
import { writeAudit } from '../audit'
import { record } from '../events'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { giveCredit, limitsOf, refundFor, soldOf } from '../refunds'
import { refundReturn } from '../return-refund'
import { judge, refusalOf, type Shown } from '../return-terms'
import { paidAhead } from '../paid-ahead'
import { insertReturn, returnable, type ReturnNews } from '../returns'
import { openException } from '../waiting'
import { judgeClaim, keepClaim, waitForYes, type ClaimWaits } from './claim-refund'
import { wantsLabel } from './unreturned'

/**
 * Goods are to come back, or are paid back without: then the return is over as soon as it is asked for.
 * @param isHere they are counted next, and paid for then
 * @throws `return.quantity`, `return.window_closed`, `return.final_sale`, `return.no_driver`, `order.already_cancelled`, `claim.no_customer`, `refund.above_captured`
 */
export async function requestReturn(tx: Transaction, ask: RequestReturn & { orderId: string }, { isHere = false } = {}): Promise<ReturnNews | ClaimWaits> {
  const order = await lockOrder(tx, ask.orderId)
  const { terms, override } = await allowed(tx, order, ask)
  const claimed = ask.claim && (await judgeClaim(tx, ask))
  if (claimed && claimed.aboveMinor > 0) return waitForYes(tx, order, ask, claimed)
  if (override) await auditOverride(tx, ask, override)
  const { feeMinor, approved, refundOn, ...paid } = termsFor(order, ask, terms)
  const covered = await coveredOf(tx, ask)
  const due = dueOf(ask.lines, covered)
  const inAdvance = paid.inAdvance && !isHere && due.length > 0
  const returnId = uuidv7()
  const wait = ask.method === 'none' ? null : waitUntilBack(order, approved)
  const status = wait === null ? 'closed' : approved ? 'approved' : 'requested'
  const dueAt = wait ? inTime(order.policy.returns.restockBy) : new Date().toISOString()
  const kept = ask.method === 'none' ? free(terms) : terms
  const paidFor = (all: readonly Units[], lineId: string): number => all.find((u) => u.lineId === lineId)?.quantity ?? 0
  const entries = ask.lines.map((l) => ({ ...l, covered: paidFor(covered, l.lineId), given: inAdvance ? paidFor(due, l.lineId) : 0 }))
  await insertReturn(tx, { ...ask, lines: entries, returnId, dueAt, wait, status, remedy: ask.remedy ?? 'refund', inAdvance, refundOn, feeMinor, terms: kept, override, wanted: null })
  if (claimed && claimed.amountMinor > 0) await keepClaim(tx, order, ask, { ...claimed, status: 'given', returnId })
  const lines = ask.lines.map(({ lineId, quantity, reason }) => ({ lineId, quantity, reason }))
  await record(tx, order, { type: 'return.requested', actor: ask.actor, data: { returnId, method: ask.method, lines, approved, ...(override && { override }) } })
  if (status === 'approved' && ask.method === 'courier' && !(await queueFetching(tx, returnId))) throw refuse('return.no_driver', { instead: ['mail', 'store'] })
  if (!approved) await askForApproval(tx, order, { returnId, lines, deadline: wait!.deadline })
  if (ask.remedy === 'credit') await giveCredit(tx, order, { purpose: `refund:${returnId}:0`, back: due, cause: { returnId }, actor: ask.actor })
  const refunds = inAdvance && ask.remedy === undefined ? await refundReturn(tx, order, { returnId, ...noneKept(kept) }, { units: due, number: 0 }) : []
  await refreshOrder(tx, ask.orderId)
  return { returnId, status, wait, refunds, toSource: false, ...(status === 'approved' && wantsLabel(order, ask) && { label: true }) }
}

/** Of what is only asked for. */
const noneKept = (terms: readonly LineTerms[]): FeesSoFar => ({ lines: terms.map((t) => ({ ...t, given: 0, worthMinor: 0 })), feeKeptMinor: 0 })

/** Nothing is kept of it, whatever the policy says of what is sent back. */
export const free = (terms: readonly LineTerms[]): LineTerms[] => terms.map((t) => ({ ...t, feeMinor: 0 }))

/** Of what is asked for, units that an earlier return paid for, which ended without them: they come for nothing. */
async function coveredOf(tx: Transaction, { orderId, method, lines }: { orderId: string; method: RequestReturn['method']; lines: readonly Units[] }): Promise<Units[]> {
  if (method === 'none') return []
  const free = await paidAhead(tx, orderId)
  return summed(lines).map(({ lineId, quantity }) => ({ lineId, quantity: Math.min(quantity, free(lineId)) }))
}

/** The others. */
const dueOf = (lines: readonly Units[], covered: readonly Units[]): Units[] =>
  summed(lines).map(({ lineId, quantity }) => ({ lineId, quantity: quantity - covered.reduce((sum, c) => (c.lineId === lineId ? sum + c.quantity : sum), 0) })).filter((l) => l.quantity > 0)

/** What a customer's request comes to by the order's own policy. */
function termsFor(order: OrderRow, { staff, method }: Pick<RequestReturn, 'staff' | 'method'>, terms: readonly LineTerms[]): { feeMinor: number; approved: boolean; inAdvance: boolean; refundOn: RefundOn } {
  const { approval = 'automatic' } = order.policy.returns
  const refundOn = refundOnOf(terms)
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
  /** Of a claim: whether another person, of finance, has to agree first. */
  needsApproval?: boolean
  money: RefundParts & { currency: string; refundMinor: number; countedMinor: number; owedMinor: number; refundOn: RefundOn }
}

/** What a return would move, nothing done. @param ask `worth`: what of it is paid back; absent: all. @throws as `requestReturn` */
export async function previewReturn(tx: Transaction, ask: Omit<Terms, 'actor'> & Pick<RequestReturn, 'method' | 'claim'> & { worth?: Terms['lines'] }): Promise<ReturnPreview> {
  const order = await lockOrder(tx, ask.orderId)
  const { terms, override } = await allowed(tx, order, { ...ask, actor: '' })
  if (ask.method === 'courier' && !(await canFetch(tx, ask.orderId))) throw refuse('return.no_driver', { instead: ['mail', 'store'] })
  const { approved, refundOn } = termsFor(order, ask, terms)
  const byRule = ask.method === 'none' ? free(terms) : terms
  const worth = { ...ask, lines: ask.worth ?? ask.lines }
  const due = dueOf(worth.lines, await coveredOf(tx, worth))
  const { feeMinor } = feeOfUnits(await soldOf(tx, ask.orderId), noneKept(byRule), due)
  const parts = await refundFor(tx, ask.orderId, due, { feeMinor })
  const { givenMinor, ...limits } = await limitsOf(tx, ask.orderId, refundMinor(parts))
  const needsApproval = ask.claim && (await judged(tx, { orderId: ask.orderId, amountMinor: refundMinor(parts) })).aboveMinor > 0
  const has = await returnable(tx, ask.orderId)
  const goods = summed(ask.lines).map((l) => ({ ...l, sku: has.find((h) => h.lineId === l.lineId)!.sku }))
  return { preview: true, approved, goods, terms: byRule, ...(override && { override }), ...(needsApproval !== undefined && { needsApproval }), money: { currency: order.currency, refundMinor: givenMinor, ...parts, ...limits, refundOn } }
}

/** Asked for from the Temporal UI, where nobody waits for the answer: the timeline and an exception tell it. */
export async function noteRefusedReturn(tx: Transaction, ask: { orderId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> {
  const order = await lockOrder(tx, ask.orderId)
  const data = { code: ask.code, ...ask.data }
  await record(tx, order, { type: 'return.refused', actor: ask.actor, data })
  await openException(tx, { ...order, kind: 'return.refused', subject: ask.orderId, owner: 'support', summary: 'A replacement asked for from the Temporal UI could not be done: the data says why', data })
}

export interface Terms extends Shown {
  orderId: string
  lines: readonly { lineId: string; quantity: number; reason: string }[]
  /** One of us asks, who may go beyond the policy. */
  staff: boolean
  actor: string
}

/** Who let it through, and what spoke against it. */
export interface Override {
  by: string
  rule: string
  /** By their names. */
  rules: string[]
  also?: Objection[]
  [why: string]: unknown
}

/** For money; what others are asked for, or money without them, is not for units that money was given for already. */
const isBroughtBack = ({ method }: { method?: RequestReturn['method'] }): boolean => method !== undefined && method !== 'none'

/** @returns by which rule each line comes back, and what a person lets through against the policy. */
export async function allowed(tx: Transaction, order: OrderRow, ask: Terms & { method?: RequestReturn['method'] }): Promise<{ terms: LineTerms[]; override?: Override }> {
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  const has = await returnable(tx, ask.orderId)
  const paid = isBroughtBack(ask) ? () => 0 : await paidAhead(tx, ask.orderId)
  for (const { lineId, quantity } of summed(ask.lines)) {
    const open = Math.max(0, (has.find((l) => l.lineId === lineId)?.available ?? 0) - paid(lineId))
    if (quantity > open) throw refuse('return.quantity', { lineId, open, given: quantity })
  }
  const { terms, against } = await judge(tx, order, ask.lines, ask)
  if (!against[0]) return { terms }
  if (!ask.staff) throw refusalOf(against[0])
  const [{ by: rules, ...why }, ...also] = against.map(withoutWords) as [Objection, ...Objection[]]
  return { terms, override: { by: ask.actor, ...why, rules, ...(also.length > 0 && { also }) } }
}

/** What the customer says stands with the line, where it can be erased. */
const withoutWords = (against: Objection): Objection => (against.rule === 'reason' ? { ...against, reason: '' } : against)

export const auditOverride = (tx: Transaction, ask: Terms, { rule, rules, also = [] }: Override): Promise<void> => {
  const all = [{ rule, by: rules }, ...also]
  return writeAudit(tx, { actor: ask.actor, action: 'return.override', subject: ask.orderId, cause: all.map((o) => `${o.rule} (${o.by.join(', ')})`).join(', ') })
}

export function summed(lines: readonly { lineId: string; quantity: number }[]): { lineId: string; quantity: number }[] {
  const sums = new Map<string, number>()
  for (const { lineId, quantity } of lines) sums.set(lineId, (sums.get(lineId) ?? 0) + quantity)
  return [...sums].map(([lineId, quantity]) => ({ lineId, quantity }))
}

async function askForApproval(tx: Transaction, order: OrderRow, { returnId, lines, deadline }: { returnId: string; lines: readonly object[]; deadline: string }): Promise<void> {
  await openException(tx, { ...order, kind: 'return.to_approve', subject: returnId, owner: 'support', summary: 'A customer wants to send something back: agree or refuse', data: { returnId, lines }, deadline })
}

/** Goods are out there, or a person has first to agree: until the policy wants that. */
export const waitUntilBack = (order: OrderRow, approved: boolean): { what: 'return' | 'approval'; since: string; deadline: string } => ({
  what: approved ? 'return' : 'approval',
  since: new Date().toISOString(),
  deadline: inTime(approved ? order.policy.returns.restockBy : (order.policy.returns.decideWithin ?? order.policy.returns.restockBy)),
})
const inTime = (duration: string): string => new Date(Date.now() + durationMs(duration)).toISOString()
