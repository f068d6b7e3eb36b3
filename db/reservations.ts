/**
 * Soft claims: stock held for a quote until it is ordered, given up or has expired. Taking and giving back are guarded statements with a movement
 * each, levels in (sku, node) order; a reservation ends once, whoever comes first.
 */
import { uuidv7 } from 'uuidv7'
import { writeAudit } from './audit'
import { rows, row, run, type Db, type Transaction } from './connection'
import { LostRace } from './race'
import { availableToSellSql } from './stock'

export interface Reserve {
  quoteId: string
  channel: string
  lines: readonly { sku: string; nodeId: string; quantity: number }[]
  expiresAt: string
  actor: string
}
export interface Reservation {
  reservationId: string
  quoteId: string
  channel: string
  status: 'open' | 'taken' | 'released' | 'expired'
  expiresAt: string
}

const columns = 'reservation_id AS "reservationId", quote_id AS "quoteId", channel, status, expires_at AS "expiresAt"'

export const findReservation = (db: Db | Transaction, reservationId: string): Promise<Reservation | undefined> =>
  row(db, `SELECT ${columns} FROM reservations WHERE reservation_id = ?`, [reservationId])

/**
 * Takes all of it or nothing, checked on the sum per level and on what the channel may sell. Holding a quote again gives the same reservation.
 * One statement, so that a level is locked no longer than it takes. @throws LostRace when a level has no longer what was quoted
 */
export async function reserve(db: Db | Transaction, ask: Reserve): Promise<Reservation> {
  const lines = JSON.stringify(ask.lines)
  const made = await row<Reservation>(db, reserveSql, { lines, reservationId: uuidv7(), quoteId: ask.quoteId, channel: ask.channel, expiresAt: ask.expiresAt, actor: ask.actor })
  const first = made ?? (await ofQuote(db, ask.quoteId))
  if (!first) throw new LostRace('a shelf no longer has what was quoted')
  return first
}

const ofQuote = (db: Db | Transaction, quoteId: string): Promise<Reservation | undefined> => row(db, `SELECT ${columns} FROM reservations WHERE quote_id = ?`, [quoteId])

/** The levels are locked in their order first and then looked at: rows are written only if every one of them has what is wanted. */
const reserveSql = `
  WITH wanted AS (SELECT sku, "nodeId", sum(quantity)::int AS quantity FROM jsonb_to_recordset(:lines::jsonb) AS r(sku text, "nodeId" text, quantity int) GROUP BY 1, 2),
    level AS (SELECT l.sku, l.node_id, w.quantity, ${availableToSellSql} AS free FROM stock_levels l JOIN wanted w ON l.sku = w.sku AND l.node_id = w."nodeId", channels c
              WHERE c.channel_id = :channel ORDER BY l.sku, l.node_id FOR UPDATE OF l),
    won AS (SELECT 1 WHERE (SELECT count(*) FROM level WHERE free >= quantity) = (SELECT count(*) FROM wanted)),
    made AS (INSERT INTO reservations (reservation_id, quote_id, channel, expires_at) SELECT :reservationId::uuid, :quoteId::uuid, :channel, :expiresAt::timestamptz FROM won
             ON CONFLICT DO NOTHING RETURNING *),
    taken AS (UPDATE stock_levels l SET reserved = reserved + v.quantity FROM level v, made WHERE l.sku = v.sku AND l.node_id = v.node_id),
    lines AS (INSERT INTO reservation_lines (reservation_id, sku, node_id, quantity) SELECT reservation_id, sku, node_id, quantity FROM level, made),
    moved AS (INSERT INTO stock_movements (sku, node_id, type, reserved_delta, actor, reason)
              SELECT sku, node_id, 'reserve', quantity, :actor, 'quote ' || quote_id FROM level, made)
  SELECT ${columns} FROM made`

/**
 * Ends the open reservation of a quote and gives its units back, to be allocated in the same transaction: every level of `skus` is locked, so nobody
 * else gets them first. Nothing happens where there is none.
 */
export async function takeHold(tx: Transaction, { quoteId, skus, actor }: { quoteId: string; skus: readonly string[]; actor: string }): Promise<void> {
  const held = await row<{ reservationId: string }>(
    tx,
    `UPDATE reservations SET status = CASE WHEN expires_at > now() THEN 'taken' ELSE 'expired' END, ended_at = now() WHERE quote_id = ? AND status = 'open'
     RETURNING reservation_id AS "reservationId"`,
    [quoteId],
  )
  if (held) await giveBack(tx, [held.reservationId], { actor, reason: 'ordered', skus })
}

/** What a change holds, which is known by the change's id, is held at least until `until`. */
export const changeReservationLives = (tx: Transaction, changeId: string, until: string): Promise<void> =>
  run(tx, `UPDATE reservations SET expires_at = greatest(expires_at, ?::timestamptz) WHERE quote_id = ? AND status = 'open'`, [until, changeId])

/** A change that is not carried out gives back what it held. */
export const releaseOfChange = (tx: Transaction, changeId: string, actor: string): Promise<void> => releaseOfQuote(tx, changeId, actor)

/** What was kept for a quote that nobody takes up. */
export async function releaseOfQuote(tx: Transaction, quoteId: string, actor: string): Promise<void> {
  const held = await ofQuote(tx, quoteId)
  if (held) await releaseReservation(tx, held.reservationId, actor)
}

/** Is what a change holds still there? */
export const holdsStill = async (tx: Transaction, changeId: string): Promise<boolean> =>
  (await row(tx, `SELECT 1 FROM reservations WHERE quote_id = ? AND status = 'open' AND expires_at > now()`, [changeId])) !== undefined

/** The customer does not want it any more. Nothing happens to one that has ended. */
export async function giveReservationBack(tx: Transaction, reservationId: string, { actor, cause }: { actor: string; cause: string }): Promise<void> {
  if (await releaseReservation(tx, reservationId, actor)) await writeAudit(tx, { actor, action: 'reservation.release', subject: reservationId, cause })
}

/** @returns false for one that had ended before */
export async function releaseReservation(tx: Transaction, reservationId: string, actor: string): Promise<boolean> {
  const ended = await row(tx, `UPDATE reservations SET status = 'released', ended_at = now() WHERE reservation_id = ? AND status = 'open' RETURNING 1`, [reservationId])
  if (ended) await giveBack(tx, [reservationId], { actor, reason: 'released', skus: [] })
  return ended !== undefined
}

/**
 * Ends what has expired; with `skus` only what holds units of these, and all their levels are locked afterwards, whether anything had expired or not.
 * @returns how many ended
 */
export async function expireDue(tx: Transaction, limit: number, skus?: readonly string[]): Promise<number> {
  const due = await rows<{ reservationId: string }>(
    tx,
    `UPDATE reservations SET status = 'expired', ended_at = now() WHERE reservation_id IN (
       SELECT reservation_id FROM reservations r WHERE status = 'open' AND expires_at <= now()
       ${skus ? 'AND EXISTS (SELECT 1 FROM reservation_lines l WHERE l.reservation_id = r.reservation_id AND l.sku = ANY(?))' : ''}
       ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING reservation_id AS "reservationId"`,
    [...(skus ? [[...skus]] : []), limit],
  )
  if (due.length || skus) await giveBack(tx, due.map((d) => d.reservationId), { actor: 'throughline', reason: 'expired', skus: skus ?? [] })
  return due.length
}

/** Is anything of these held by what has expired? */
export const hasDue = async (tx: Transaction, skus: readonly string[]): Promise<boolean> =>
  (await row(
    tx,
    `SELECT 1 FROM reservations r WHERE status = 'open' AND expires_at <= now()
     AND EXISTS (SELECT 1 FROM reservation_lines l WHERE l.reservation_id = r.reservation_id AND l.sku = ANY(?)) LIMIT 1`,
    [[...skus]],
  )) !== undefined

/** Levels are locked all at once in their order, those of `skus` with them: a caller who goes on to claim waits for nobody in a ring. */
async function giveBack(tx: Transaction, reservationIds: readonly string[], { actor, reason, skus }: { actor: string; reason: string; skus: readonly string[] }): Promise<void> {
  const ids = [...reservationIds]
  await run(
    tx,
    `SELECT 1 FROM stock_levels WHERE sku = ANY(:skus) OR (sku, node_id) IN (SELECT sku, node_id FROM reservation_lines WHERE reservation_id = ANY(:ids::uuid[]))
     ORDER BY sku, node_id FOR UPDATE`,
    { skus: [...skus], ids },
  )
  if (ids.length) await run(tx, giveBackSql, { ids, actor, reason })
}

const giveBackSql = `
  WITH freed AS (SELECT sku, node_id, sum(quantity)::int AS quantity FROM reservation_lines WHERE reservation_id = ANY(:ids::uuid[]) GROUP BY 1, 2),
    given AS (UPDATE stock_levels l SET reserved = reserved - f.quantity FROM freed f WHERE l.sku = f.sku AND l.node_id = f.node_id)
  INSERT INTO stock_movements (sku, node_id, type, reserved_delta, actor, reason) SELECT sku, node_id, 'release', -quantity, :actor, :reason FROM freed`
