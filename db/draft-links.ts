/** Payment links as rows: intended before the provider is asked, leased to whoever asks, and ended by what the provider says of them. */
import { uuidv7 } from 'uuidv7'
import { row, rows, run, type Db, type Transaction } from './connection'

export const linkStatuses = ['intended', 'open', 'ending', 'paid', 'placed', 'expired', 'cancelled', 'refused'] as const
export type LinkStatus = (typeof linkStatuses)[number]

export interface DraftLink {
  linkId: string
  draftId: string
  status: LinkStatus
  amountMinor: number
  currency: string
  expiresAt: string
  returnTo: string
  orderId: string
  paymentId: string
  operationId: string
  keyNumber: number
  keySpent: boolean
  attempts: number
  reference: string | null
  url: string | null
  paymentReference: string | null
  payer: string | null
  /** Why the provider gave none, or what kept us from hearing of it. */
  lastError: string | null
  createdBy: string
  createdAt: string
  /** Of its draft. */
  number: number
  channel: string
}

const columns = `link_id AS "linkId", draft_id AS "draftId", status, amount_minor AS "amountMinor", currency, expires_at AS "expiresAt", return_to AS "returnTo", order_id AS "orderId", payment_id AS "paymentId",
  operation_id AS "operationId", key_number AS "keyNumber", key_spent AS "keySpent", attempts, reference, url, payment_reference AS "paymentReference", payer, last_error AS "lastError", created_by AS "createdBy", created_at AS "createdAt",
  (SELECT d.number FROM drafts d WHERE d.draft_id = draft_links.draft_id) AS number, (SELECT d.channel FROM drafts d WHERE d.draft_id = draft_links.draft_id) AS channel`
const live = `status IN ('intended', 'open', 'ending', 'paid')`
/** Somebody can pay at it, or has. */
export const isLive = ({ status }: Pick<DraftLink, 'status'>): boolean => status === 'intended' || status === 'open' || status === 'ending' || status === 'paid'

export type LinkWish = Pick<DraftLink, 'draftId' | 'amountMinor' | 'currency' | 'expiresAt' | 'returnTo'> & { actor: string }

export async function intendLink(tx: Transaction, { draftId, amountMinor, currency, expiresAt, returnTo, actor }: LinkWish): Promise<void> {
  await run(
    tx,
    `INSERT INTO draft_links (link_id, draft_id, amount_minor, currency, expires_at, return_to, order_id, payment_id, operation_id, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [uuidv7(), draftId, amountMinor, currency, expiresAt, returnTo, uuidv7(), uuidv7(), uuidv7(), actor],
  )
}

/** The last one: the one that can be paid, if any can. */
export const linkOfDraft = (db: Db | Transaction, draftId: string): Promise<DraftLink | undefined> => row(db, `SELECT ${columns} FROM draft_links WHERE draft_id = ? ORDER BY link_id DESC LIMIT 1`, [draftId])

/** Takes what is to be asked about, for as long as a call may take. */
export const leaseLinks = (db: Db, limit: number, leaseMs: number): Promise<DraftLink[]> =>
  rows(
    db,
    `UPDATE draft_links SET next_at = now() + ? * interval '1 millisecond' WHERE link_id IN (SELECT link_id FROM draft_links WHERE ${live} AND next_at <= now() ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING ${columns}`,
    [leaseMs, limit],
  )

/** Written before every call that opens it. A key that stored a failure gives way to the next. @returns undefined when it has ended meanwhile */
export const beginOpening = (db: Db, linkId: string): Promise<DraftLink | undefined> =>
  row(db, `UPDATE draft_links SET attempts = attempts + 1, key_number = key_number + CASE WHEN key_spent THEN 1 ELSE 0 END, key_spent = false WHERE link_id = ? AND ${live} RETURNING ${columns}`, [linkId])

/** It is there; a customer can be given its address, unless nobody wants that any more. */
export const linkIsOpen = (db: Db, linkId: string, { reference, url }: { reference: string; url: string | null }, againMs: number): Promise<void> =>
  run(
    db,
    `UPDATE draft_links SET reference = ?, url = ?, last_error = NULL, status = CASE WHEN status = 'intended' THEN 'open' ELSE status END,
       next_at = CASE WHEN status = 'ending' THEN now() ELSE least(now() + ? * interval '1 millisecond', greatest(expires_at, now())) END WHERE link_id = ? AND ${live}`,
    [reference, url, againMs, linkId],
  )

/** It was paid at the provider: from here on it becomes an order, whatever else is wanted. */
export const linkIsPaid = (db: Db, linkId: string, { reference, payer }: { reference: string; payer?: string }): Promise<void> =>
  run(db, `UPDATE draft_links SET status = 'paid', payment_reference = ?, payer = ? WHERE link_id = ? AND ${live}`, [reference, payer ?? null, linkId])

export const linkFailed = (db: Db, linkId: string, { error, spent, retryMs }: { error: string; spent: boolean; retryMs: number }): Promise<void> =>
  run(db, `UPDATE draft_links SET last_error = ?, key_spent = key_spent OR ?, next_at = now() + ? * interval '1 millisecond' WHERE link_id = ? AND ${live}`, [error.slice(0, 300), spent, retryMs, linkId])

/** Nobody is to pay at it any more; what the provider says decides. @returns undefined where there is none */
export const endLink = (tx: Transaction, draftId: string): Promise<{ linkId: string } | undefined> =>
  row(tx, `UPDATE draft_links SET status = CASE WHEN status = 'paid' THEN status ELSE 'ending' END, next_at = now() WHERE draft_id = ? AND ${live} RETURNING link_id AS "linkId"`, [draftId])

/** @returns false when it had ended before */
export const settleLink = async (tx: Transaction, linkId: string, to: 'placed' | 'expired' | 'cancelled' | 'refused', why?: string): Promise<boolean> =>
  (await row(tx, `UPDATE draft_links SET status = ?, url = NULL, ended_at = now(), last_error = ? WHERE link_id = ? AND ${live} RETURNING 1`, [to, why?.slice(0, 300) ?? null, linkId])) !== undefined

/** The provider has told something: it is asked at once. */
export const lookAtLink = (db: Db, linkId: string): Promise<void> => run(db, `UPDATE draft_links SET next_at = now() WHERE link_id::text = ? AND ${live}`, [linkId])

/** What should have gone on: not given in so many minutes, troubled while it is ended or placed, or open past its time. */
export const linksBehind = (tx: Transaction, { queueMinutes, overdueMinutes }: { queueMinutes: number; overdueMinutes: number }): Promise<Pick<DraftLink, 'draftId' | 'linkId' | 'status' | 'lastError'>[]> =>
  rows(
    tx,
    `SELECT draft_id AS "draftId", link_id AS "linkId", status, last_error AS "lastError" FROM draft_links
     WHERE ${live} AND ((created_at < now() - :queueMinutes * interval '1 minute' AND (status = 'intended' OR (status IN ('ending', 'paid') AND last_error IS NOT NULL)))
       OR expires_at < now() - :overdueMinutes * interval '1 minute') ORDER BY link_id LIMIT 100`,
    { queueMinutes, overdueMinutes },
  )
