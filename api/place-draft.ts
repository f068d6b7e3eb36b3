/** A draft becomes an order, once, through the same intake as any other: by a person who has the money, or by the money itself. */
import type { PlanPromise } from '../activities/promise-desk'
import { writeAudit } from '../db/audit'
import { keepDocument } from '../db/channel-messages'
import type { Db, Transaction } from '../db/connection'
import { linkOfDraft } from '../db/draft-links'
import { becameOrder, type DraftRow } from '../db/drafts'
import { record } from '../db/events'
import type { PaidAhead } from '../db/intake'
import type { PlanMode } from '../db/race'
import { openException } from '../db/waiting'
import { orderBrief, type OrderBrief } from '../db/views/order-brief'
import { draftView } from '../db/views/drafts'
import { asQuoted, draftNumber, flagsOf, missingFrom } from '../domain/draft/draft'
import type { PlacedAnyhow } from '../domain/draft/link'
import { draftTotals } from '../domain/draft/totals'
import { formatMinor } from '../domain/money'
import { refuse } from '../domain/refusals'
import { refuseSchema } from './problem'
import { newOrder, type NewOrderBody } from './schemas/order'
import { submitDocument, type SubmitDeps } from './submit-order'

export interface DraftPlacing {
  tenders: readonly object[]
  actor: string
  /** Its money came before it, and it is placed whatever can no longer be kept. */
  paidAhead?: PaidAhead
  anyhow?: PlacedAnyhow
  /** On terms: the goods go first, and finance sees to it that all of it is paid by then. */
  dueAt?: string
  promise: PlanPromise
}

/**
 * The draft's row is locked: whoever comes second finds the order. @throws `draft.incomplete`, `request.invalid` for what no order may say, and what
 * `submitDocument` throws
 */
export async function placeDraft(tx: Transaction, deps: SubmitDeps, draft: DraftRow, { tenders, actor, promise, paidAhead, anyhow, dueAt }: DraftPlacing, mode: PlanMode): Promise<OrderBrief> {
  const body = orderOf(draft, tenders, anyhow)
  const { orderId, outcome, brief } = await submitDocument(tx, deps, { body, actor, promise, paidAhead }, mode)
  // The number was taken by an order that did not come from here.
  if (outcome === 'repeated') throw refuse('order.duplicate', { orderId })
  await becameOrder(tx, draft, { orderId, actor })
  await record(tx, { orderId, channel: draft.channel }, { type: 'draft.placed', actor, data: { draftId: draft.draftId, number: draftNumber(draft.number) } })
  await keepDocument(tx, { source: 'draft', eventId: draft.draftId, channel: draft.channel, channelOrderId: body.channelOrderId, topic: 'order', body: draft.document, applied: true })
  await writeAudit(tx, { actor, action: 'order.create', subject: orderId, cause: `draft:${draft.draftId}` })
  if (dueAt !== undefined) await expectMoney(tx, { orderId, channel: draft.channel, dueAt, amountMinor: body.totalMinor, currency: body.currency, draftId: draft.draftId })
  return brief ?? (await orderBrief(tx, orderId))!
}

/** What is owed is a case from the beginning, so that nobody has to remember it; it outlives the order. */
const expectMoney = (tx: Transaction, { orderId, channel, dueAt, ...data }: { orderId: string; channel: string; dueAt: string; amountMinor: number; currency: string; draftId: string }): Promise<string> =>
  openException(tx, { orderId, channel, kind: 'payment.due', subject: orderId, owner: 'finance', summary: `Sold on terms: ${formatMinor(data.amountMinor, data.currency)} is to come by ${dueAt.slice(0, 10)}`, data, deadline: dueAt })

/** @throws `draft.incomplete` */
export function refuseIncomplete({ document }: Pick<DraftRow, 'document'>): void {
  const missing = missingFrom(document)
  if (missing.length) throw refuse('draft.incomplete', {}, undefined, missing)
}

/** @throws `draft.quote_expired` */
export function refuseExpired({ quote, validUntil }: Pick<DraftRow, 'quote' | 'validUntil'>): void {
  if (quote && validUntil !== null && validUntil <= new Date().toISOString()) throw refuse('draft.quote_expired', { number: quote.number, validUntil })
}

/** @throws `draft.state` */
export async function refuseState(db: Db | Transaction, draft: DraftRow, allowed: boolean): Promise<void> {
  if (allowed) return
  const { state, orderId, allowedActions } = draftView(draft, await linkOfDraft(db, draft.draftId), new Date().toISOString())
  throw refuse('draft.state', { state, orderId, allowedActions })
}

/** The document it is submitted as. @throws `draft.incomplete`, `request.invalid` */
function orderOf(draft: DraftRow, tenders: readonly object[], { sourcedLater, ownNumber }: PlacedAnyhow = {}): NewOrderBody {
  refuseIncomplete(draft)
  if (!sourcedLater) refuseExpired(draft)
  const { quote } = draft
  const { channel, channelOrderId = draftNumber(draft.number), currency, customer, shipTo, billTo, delivery, taxIncluded, priority, claim } = draft.document
  const { lines, shipping, totalMinor } = draftTotals(asQuoted(draft.document, quote))
  const read = newOrder.safeParse({
    channel, currency, customer, shipTo, billTo, taxIncluded, priority, shipping, totalMinor, tenders,
    channelOrderId: ownNumber ? draftNumber(draft.number) : channelOrderId,
    claim: sourcedLater ? 'later' : claim,
    flags: flagsOf(draft.document),
    placedAt: new Date().toISOString(),
    delivery: quote && !sourcedLater ? { quoteId: quote.token, optionId: quote.optionId } : delivery,
    lines: lines.map(({ netMinor: _, ...line }) => line),
  })
  if (!read.success) throw refuseSchema(read.error, 'body')
  return read.data
}
