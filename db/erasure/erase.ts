/** Erases a customer, or one order: what has ended at once, what is under way when it ends. Done twice it changes nothing more. */
import { uuidv7 } from 'uuidv7'
import { refuse } from '../../domain/refusals'
import { writeAudit } from '../audit'
import { rows, row, run, type Db, type Transaction } from '../connection'
import { self } from '../events'
import { releaseOfQuote } from '../reservations'
import { eraseAnswers, eraseDraftAnswers } from './answers'
import { erasing, erasingDrafts, erasingQuarantined } from './statements'

export interface EraseAsk {
  of: { customerRefHmac: string; customerRef: string } | { orderId: string }
  actor: string
  cause: string
}

export interface Erased {
  erasureId: string
  /** `scheduled`: some of it waits for orders to end. */
  status: 'done' | 'scheduled'
  orders: { erased: number; waiting: number }
  /** Rows that were changed, by table. */
  rows: Record<string, number>
}

interface Found {
  orderId: string
  ended: boolean
  email: string | null
  phone: string | null
}

export async function eraseCustomer(tx: Transaction, { of, actor, cause }: EraseAsk): Promise<Erased> {
  const erasureId = uuidv7()
  const found = await ordersOf(tx, of)
  const ended = found.filter((o) => o.ended).map((o) => o.orderId)
  const waiting = found.filter((o) => !o.ended).map((o) => o.orderId)
  const what = 'orderId' in of ? 'order' : 'customer'
  await run(tx, 'INSERT INTO erasures (erasure_id, of, asked_by) VALUES (?, ?, ?)', [erasureId, what, actor])
  const changed = await eraseOrders(tx, ended)
  if ('customerRef' in of) {
    changed.quarantine = (changed.quarantine ?? 0) + (await count(tx, erasingQuarantined, { called: namesIn(of.customerRef, found) }))
    await run(tx, `UPDATE drafts SET erase_when_ended = ? WHERE customer_ref_hmac = ? AND state = 'awaiting_payment'`, [erasureId, of.customerRefHmac])
    await eraseDrafts(tx, { hmac: of.customerRefHmac }, changed)
    changed.value_accounts = await count(tx, `UPDATE value_accounts SET customer_ref_hmac = 'erased:' || account_id WHERE customer_ref_hmac = :hmac`, { hmac: of.customerRefHmac })
  }
  await run(tx, 'UPDATE orders SET erase_when_ended = ? WHERE order_id = ANY(?::uuid[])', [erasureId, waiting])
  await writeAudit(tx, { actor, action: `${what}.erase`, subject: erasureId, cause })
  const touched = Object.fromEntries(Object.entries(changed).filter(([, n]) => n > 0))
  return { erasureId, status: waiting.length ? 'scheduled' : 'done', orders: { erased: changed.orders ?? 0, waiting: waiting.length }, rows: touched }
}

async function eraseDrafts(tx: Transaction, { hmac = null, draftId = null }: { hmac?: string | null; draftId?: string | null }, changed: Record<string, number> = {}): Promise<void> {
  const gone = await rows<{ draftId: string; quoteId: string | null }>(tx, `${erasingDrafts} RETURNING draft_id AS "draftId", quote->>'quoteId' AS "quoteId"`, { hmac, draftId })
  for (const { quoteId } of gone) if (quoteId !== null) await releaseOfQuote(tx, quoteId, self)
  changed.drafts = (changed.drafts ?? 0) + gone.length
  changed.idempotency_keys = (changed.idempotency_keys ?? 0) + (await eraseDraftAnswers(tx, gone.map((d) => d.draftId)))
}

/** What was asked for while a draft waited for its money, once that has ended without an order. */
export const eraseDraftIfAsked = (tx: Transaction, draftId: string): Promise<void> => eraseDrafts(tx, { draftId })

/** One draft, whose customer has no number by which all of hers could be found. */
export async function eraseDraft(tx: Transaction, { draftId }: { draftId: string }, actor: string): Promise<void> {
  const erasureId = uuidv7()
  await run(tx, `INSERT INTO erasures (erasure_id, of, asked_by) VALUES (?, 'customer', ?)`, [erasureId, actor])
  const waits = await row(tx, `UPDATE drafts SET erase_when_ended = ? WHERE draft_id = ? RETURNING state = 'awaiting_payment' AS waits`, [erasureId, draftId])
  if ((waits as { waits: boolean }).waits) return
  await eraseDrafts(tx, { draftId })
}

/** At the end of an order's thread: what was asked for while it was under way, and what has come since to one that was erased and opened again. */
export async function eraseIfAsked(tx: Transaction, orderId: string): Promise<void> {
  const asked = await row(tx, 'SELECT 1 FROM orders WHERE order_id = ? AND num_nonnulls(erase_when_ended, erased_at) > 0', [orderId])
  if (asked) await eraseOrders(tx, [orderId])
}

/** Nobody knows any more whom to send something to. @throws `order.erased` */
export async function refuseErased(tx: Transaction, orderId: string): Promise<void> {
  if (await row(tx, 'SELECT 1 FROM orders WHERE order_id = ? AND erased_at IS NOT NULL', [orderId])) throw refuse('order.erased')
}

/** What is still on her account: it could be claimed by nobody any more. */
export const creditOf = (db: Db | Transaction, customerRefHmac: string): Promise<{ currency: string; balanceMinor: number }[]> =>
  rows(db, 'SELECT currency, balance_minor AS "balanceMinor" FROM value_accounts WHERE customer_ref_hmac = ? AND balance_minor > 0 ORDER BY currency', [customerRefHmac])

/** Locked in one order: two who erase at the same time do not wait for each other in a ring. */
const ordersOf = (tx: Transaction, of: EraseAsk['of']): Promise<Found[]> =>
  rows<Found>(
    tx,
    `SELECT order_id AS "orderId", NOT workflow_open AS ended, customer->>'email' AS email, customer->>'phone' AS phone FROM orders
     WHERE ${'orderId' in of ? 'order_id = ?::uuid' : 'customer_ref_hmac = ?'} ORDER BY order_id FOR UPDATE`,
    ['orderId' in of ? of.orderId : of.customerRefHmac],
  )

async function eraseOrders(tx: Transaction, orders: readonly string[]): Promise<Record<string, number>> {
  const changed: Record<string, number> = {}
  if (orders.length === 0) return changed
  changed.idempotency_keys = await eraseAnswers(tx, orders)
  for (const { table, sql } of erasing) changed[table] = await count(tx, sql, { orders: [...orders] })
  return changed
}

const count = async (tx: Transaction, sql: string, bindings: Record<string, unknown>): Promise<number> =>
  (await rows<{ changed: boolean }>(tx, `${sql} RETURNING true AS changed`, bindings)).length

/** Short ones could stand in anybody's message. */
const namesIn = (customerRef: string, found: readonly Found[]): string[] =>
  [...new Set([customerRef, ...found.flatMap((o) => [o.email, o.phone])])].filter((name): name is string => name !== null && name.length >= 6)
