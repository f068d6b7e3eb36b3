/**
 * Messages to customers, one row per event and kind, written before anything is sent. A row that is being sent when its process dies may have been sent:
 * it is not sent again but put before a person. Over a wire on which an answer can be lost, "once" and "surely" cannot both be had; this is "once".
 */
import { uuidv7 } from 'uuidv7'
import { nextTryMinutes, type SendOutcome } from '../domain/customer-messages/delivery'
import { messageKinds, occasions, type Language, type MessageKind } from '../domain/customer-messages/kinds'
import { row, rows, run, type Db, type Transaction } from './connection'
import { feedEnd } from './views/events'
import { openException } from './waiting'

const page = 1_000
/** What is older than this when it is first looked at is no news any more. */
const newsHours = 24

const kindOf: ReadonlyMap<string, MessageKind> = new Map(messageKinds.map((kind) => [occasions[kind], kind]))

/** Reads the event log on, in the order of commits, and queues what customers are to be told. @returns how many events were read. */
export const queueMessages = (db: Db): Promise<number> =>
  db.transaction(async (tx) => {
    const cursor = await lockCursor(tx)
    if (!cursor) return 0
    const events = await rows<{ xid: string; seq: number; orderId: string; type: string }>(
      tx,
      `SELECT xid::text AS xid, seq, order_id AS "orderId", type FROM order_events
       WHERE (xid, seq) > (?::xid8, ?) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY order_events.xid, seq LIMIT ?`,
      [cursor.xid, cursor.seq, page],
    )
    const last = events.at(-1)
    if (!last) return 0
    const told = events.flatMap(({ seq, orderId, type }) => (kindOf.has(type) ? [{ message_id: uuidv7(), order_id: orderId, seq, kind: kindOf.get(type) }] : []))
    await run(
      tx,
      `INSERT INTO customer_messages (message_id, order_id, seq, kind) SELECT m.message_id, m.order_id, m.seq, m.kind
       FROM jsonb_to_recordset(?::jsonb) AS m (message_id uuid, order_id uuid, seq bigint, kind text) ON CONFLICT (seq, kind) DO NOTHING`,
      [JSON.stringify(told)],
    )
    await run(tx, 'UPDATE message_cursor SET xid = ?::xid8, seq = ?', [last.xid, last.seq])
    return events.length
  })

/** The first time, what happened before is not told. Undefined: somebody else is reading. */
async function lockCursor(tx: Transaction): Promise<{ xid: string; seq: number } | undefined> {
  const end = await feedEnd(tx)
  await run(tx, 'INSERT INTO message_cursor (xid, seq) SELECT ?::xid8, ? WHERE NOT EXISTS (SELECT 1 FROM message_cursor) ON CONFLICT DO NOTHING', [end.xid, end.seq])
  return row(tx, 'SELECT xid::text AS xid, seq FROM message_cursor FOR UPDATE SKIP LOCKED')
}

export interface DueMessage {
  messageId: string
  orderId: string
  kind: MessageKind
  attempts: number
  isNews: boolean
  channel: string
  shop: string
  timeZone: string
  channelOrderId: string
  totalMinor: number
  currency: string
  name: string | null
  email: string | null
  country: string | null
  data: Record<string, unknown>
}

/** Takes messages to be sent now; from here on each may have been sent. */
export const takeMessages = (db: Db, limit: number, leaseMs: number): Promise<DueMessage[]> =>
  rows(
    db,
    `WITH taken AS (
       UPDATE customer_messages SET status = 'sending', attempts = attempts + 1, next_attempt_at = now() + ? * interval '1 millisecond'
       WHERE message_id IN (SELECT message_id FROM customer_messages WHERE status = 'queued' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING *)
     SELECT t.message_id AS "messageId", t.order_id AS "orderId", t.kind, t.attempts, e.at > now() - ${newsHours} * interval '1 hour' AS "isNews", o.channel, c.name AS shop, c.time_zone AS "timeZone",
       o.channel_order_id AS "channelOrderId", o.total_minor AS "totalMinor", o.currency, o.customer->>'name' AS name, o.customer->>'email' AS email, o.ship_to->>'country' AS country, e.data
     FROM taken t JOIN orders o USING (order_id) JOIN channels c ON c.channel_id = o.channel JOIN order_events e ON e.seq = t.seq ORDER BY t.seq`,
    [leaseMs, limit],
  )

/** Whoever was sending these is gone, and nobody knows whether they went out. @returns how many. */
export const settleInterrupted = (db: Db): Promise<number> =>
  db.transaction(async (tx) => {
    const lost = await rows<{ messageId: string; orderId: string; kind: MessageKind; channel: string }>(
      tx,
      `UPDATE customer_messages m SET status = 'unknown', reason = 'interrupted while it was sent', settled_at = now() FROM orders o
       WHERE o.order_id = m.order_id AND m.status = 'sending' AND m.next_attempt_at < now() RETURNING m.message_id AS "messageId", m.order_id AS "orderId", m.kind, o.channel`,
    )
    for (const one of lost) await openCase(tx, one, 'interrupted while it was sent')
    return lost.length
  })

type Settled = Pick<DueMessage, 'messageId' | 'orderId' | 'kind' | 'channel' | 'attempts'>

/** How it went. What was surely not taken is tried again; what may have been taken never is. */
export const settleMessage = (db: Db, message: Settled, outcome: SendOutcome, words: { language: Language; version: number }): Promise<void> =>
  db.transaction(async (tx) => {
    const again = outcome.is === 'not_accepted' ? nextTryMinutes(message.attempts) : undefined
    const status = outcome.is === 'accepted' ? 'sent' : outcome.is === 'unknown' ? 'unknown' : again === undefined ? 'failed' : 'queued'
    const reason = outcome.is === 'accepted' ? null : outcome.error.slice(0, 300)
    const mine = await row(
      tx,
      `UPDATE customer_messages SET status = ?, reason = ?, language = ?, template_version = ?, next_attempt_at = now() + ? * interval '1 minute', settled_at = CASE WHEN ? <> 'queued' THEN now() END
       WHERE message_id = ? AND status = 'sending' RETURNING message_id`,
      [status, reason, words.language, words.version, again ?? 0, status, message.messageId],
    )
    if (mine && (status === 'unknown' || status === 'failed')) await openCase(tx, message, reason!)
  })

/** Not sent, and why: nobody to send it to, not wanted, no news any more. */
export async function suppressMessage(db: Db, messageId: string, reason: string): Promise<void> {
  await run(db, `UPDATE customer_messages SET status = 'suppressed', reason = ?, settled_at = now() WHERE message_id = ? AND status = 'sending'`, [reason, messageId])
}

const openCase = async (tx: Transaction, { messageId, orderId, kind, channel }: Omit<Settled, 'attempts'>, reason: string): Promise<void> => {
  await openException(tx, { orderId, channel, kind: 'message.not_sent', subject: messageId, owner: 'support', summary: `The customer may not have been told (${kind}): ${reason}`, data: { messageId, kind, reason } })
}

export interface MessageView {
  messageId: string
  kind: string
  seq: number
  language: string | null
  templateVersion: number | null
  status: string
  reason: string | null
  attempts: number
  queuedAt: string
  settledAt: string | null
}

export const messagesOf = (db: Db, orderId: string): Promise<MessageView[]> =>
  rows(
    db,
    `SELECT message_id AS "messageId", kind, seq, language, template_version AS "templateVersion", status, reason, attempts, queued_at AS "queuedAt", settled_at AS "settledAt"
     FROM customer_messages WHERE order_id = ? ORDER BY seq, kind`,
    [orderId],
  )
