/** Drafts as rows: written under the version that was read, locked by whoever decides what becomes of them, ended once. */
import { uuidv7 } from 'uuidv7'
import { asQuoted, mayBecome, quoteNumber, type Draft, type DraftQuote, type DraftState } from '../domain/draft/draft'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'
import { customerRefHmac } from './customer-ref'
import { releaseOfQuote } from './reservations'
import { draftTotals } from '../domain/draft/totals'

export interface DraftRow {
  draftId: string
  number: number
  channel: string
  state: DraftState
  version: number
  document: Draft
  currency: string
  totalMinor: number
  createdBy: string
  createdAt: string
  updatedAt: string
  endedAt: string | null
  endedBy: string | null
  endReason: string | null
  orderId: string | null
  quote: DraftQuote | null
  validUntil: string | null
  /** By when it is to be paid, while that is waited for, and what happens then. */
  payBy: string | null
  atPayBy: 'discard' | 'reopen' | null
}

export const draftColumns = `draft_id AS "draftId", number, channel, state, version, document, currency, total_minor AS "totalMinor", created_by AS "createdBy", created_at AS "createdAt",
  updated_at AS "updatedAt", ended_at AS "endedAt", ended_by AS "endedBy", end_reason AS "endReason", order_id AS "orderId", quote, valid_until AS "validUntil", pay_by AS "payBy", at_pay_by AS "atPayBy"`

export const findDraft = (db: Db | Transaction, draftId: string): Promise<DraftRow | undefined> => row(db, `SELECT ${draftColumns} FROM drafts WHERE draft_id = ?`, [draftId])

/** Whoever decides about a draft takes its row first: two people, or a person and a payment, come one after the other. */
export const lockDraft = (tx: Transaction, draftId: string): Promise<DraftRow | undefined> => row(tx, `SELECT ${draftColumns} FROM drafts WHERE draft_id = ? FOR UPDATE`, [draftId])

export interface DraftWriting {
  document: Draft
  totalMinor: number
  /** Key of the hash that stands for the customer. */
  secret: string
}

export async function insertDraft(tx: Transaction, { document, totalMinor, secret, actor }: DraftWriting & { actor: string }): Promise<DraftRow> {
  const { channel, currency } = document
  const made = await row<DraftRow>(
    tx,
    `INSERT INTO drafts (draft_id, channel, document, currency, total_minor, customer_ref_hmac, created_by) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING ${draftColumns}`,
    [uuidv7(), channel, JSON.stringify(document), currency, totalMinor, hmacOf(document, secret), actor],
  )
  return made!
}

/** Another document; what was quoted for the one before holds no more, unless it was about the same. */
export async function rewriteDraft(tx: Transaction, draft: DraftRow, { document, totalMinor, secret, keepsQuote, actor }: DraftWriting & { keepsQuote: boolean; actor: string }): Promise<DraftRow> {
  invariant(draft.state === 'open' || mayBecome(draft.state, 'open'), `a draft that is ${draft.state} is not rewritten`)
  if (!keepsQuote && draft.quote) await releaseOfQuote(tx, draft.quote.quoteId, actor)
  const written = await row<DraftRow>(
    tx,
    `UPDATE drafts SET document = ?, currency = ?, total_minor = ?, customer_ref_hmac = ?, ${keepsQuote ? '' : "state = 'open', quote = NULL, valid_until = NULL,"} version = version + 1, updated_at = now()
     WHERE draft_id = ? RETURNING ${draftColumns}`,
    [JSON.stringify(document), document.currency, totalMinor, hmacOf(document, secret), draft.draftId],
  )
  return written!
}

const hmacOf = ({ customer }: Draft, secret: string): string | null => (customer?.customerRef === undefined ? null : customerRefHmac(customer.customerRef, secret))

export const nextQuoteNumber = async (tx: Transaction): Promise<string> => quoteNumber((await row<{ number: number }>(tx, `SELECT nextval('draft_quote_numbers') AS number`))!.number)

/** Frozen from here on: prices, the date, and what the delivery costs. */
export async function quoteDraft(tx: Transaction, draft: DraftRow, { quote, validUntil }: { quote: DraftQuote; validUntil: string }): Promise<DraftRow> {
  invariant(mayBecome(draft.state, 'quoted'), `a draft that is ${draft.state} is not quoted`)
  const { totalMinor } = draftTotals(asQuoted(draft.document, quote))
  const quoted = await row<DraftRow>(
    tx,
    `UPDATE drafts SET state = 'quoted', quote = ?, valid_until = ?, total_minor = ?, version = version + 1, updated_at = now() WHERE draft_id = ? RETURNING ${draftColumns}`,
    [JSON.stringify(quote), validUntil, totalMinor, draft.draftId],
  )
  return quoted!
}

/** From here on nobody changes or places it by hand: the money decides, or its deadline. */
export async function awaitPayment(tx: Transaction, draft: DraftRow, { payBy, atPayBy }: { payBy: string; atPayBy: 'discard' | 'reopen' }): Promise<DraftRow> {
  invariant(mayBecome(draft.state, 'awaiting_payment'), `a draft that is ${draft.state} is not waited for`)
  const waiting = await row<DraftRow>(
    tx,
    `UPDATE drafts SET state = 'awaiting_payment', pay_by = ?, at_pay_by = ?, version = version + 1, updated_at = now() WHERE draft_id = ? RETURNING ${draftColumns}`,
    [payBy, atPayBy, draft.draftId],
  )
  return waiting!
}

/** No money comes any more: what was written down can be changed, paid otherwise, or thrown away. */
export async function reopenDraft(tx: Transaction, draft: DraftRow): Promise<DraftRow> {
  const to = draft.quote ? 'quoted' : 'open'
  invariant(mayBecome(draft.state, to), `a draft that is ${draft.state} is not opened again`)
  const open = await row<DraftRow>(
    tx,
    `UPDATE drafts SET state = ?, pay_by = NULL, at_pay_by = NULL, version = version + 1, updated_at = now() WHERE draft_id = ? RETURNING ${draftColumns}`,
    [to, draft.draftId],
  )
  return open!
}

/** It is an order now. A customer who asked to be forgotten meanwhile is forgotten when that ends. */
export async function becameOrder(tx: Transaction, draft: DraftRow, { orderId, actor }: { orderId: string; actor: string }): Promise<void> {
  invariant(mayBecome(draft.state, 'placed'), `a draft that is ${draft.state} is not placed`)
  await run(tx, `UPDATE drafts SET state = 'placed', order_id = ?, ended_at = now(), ended_by = ?, version = version + 1, updated_at = now() WHERE draft_id = ?`, [orderId, actor, draft.draftId])
  await run(tx, 'UPDATE orders o SET erase_when_ended = d.erase_when_ended FROM drafts d WHERE d.draft_id = ? AND o.order_id = d.order_id AND d.erase_when_ended IS NOT NULL', [draft.draftId])
}

export async function discardDraft(tx: Transaction, draft: DraftRow, { actor, reason }: { actor: string; reason: string }): Promise<DraftRow> {
  invariant(mayBecome(draft.state, 'discarded'), `a draft that is ${draft.state} is not discarded`)
  if (draft.quote) await releaseOfQuote(tx, draft.quote.quoteId, actor)
  const ended = await row<DraftRow>(
    tx,
    `UPDATE drafts SET state = 'discarded', ended_at = now(), ended_by = ?, end_reason = ?, version = version + 1, updated_at = now() WHERE draft_id = ? RETURNING ${draftColumns}`,
    [actor, reason, draft.draftId],
  )
  return ended!
}

/** What a draft may be written for: the channel, its currency, and which kind of place it is. */
export const channelOfDraft = (db: Db | Transaction, channel: string): Promise<{ currency: string; kind: string; orderPageUrl: string | null } | undefined> =>
  row(db, 'SELECT currency, kind, order_page_url AS "orderPageUrl" FROM channels WHERE channel_id = ?', [channel])

/** What was to be paid otherwise than by a link, and by now. Locked; what somebody else is deciding about is left to them. */
export const overdueDrafts = (tx: Transaction, limit: number): Promise<DraftRow[]> =>
  rows(
    tx,
    `SELECT ${draftColumns} FROM drafts d WHERE state = 'awaiting_payment' AND pay_by <= now()
       AND NOT EXISTS (SELECT 1 FROM draft_links l WHERE l.draft_id = d.draft_id AND l.status IN ('intended', 'open', 'ending', 'paid')) ORDER BY pay_by LIMIT ? FOR UPDATE SKIP LOCKED`,
    [limit],
  )

/** Nobody has paid: as was said when it was asked for. */
export async function endUnpaid(tx: Transaction, draft: DraftRow, actor: string): Promise<void> {
  if (draft.atPayBy === 'discard') await discardDraft(tx, draft, { actor, reason: `not paid by ${draft.payBy}` })
  else await reopenDraft(tx, draft)
}
