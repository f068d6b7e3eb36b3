/** What channels send by themselves: each message is one row in the inbox, taken in the transaction of what it does, so a repeat finds its answer. */
import { auditBindings, auditSql, type AuditEntry } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'
import { isErased } from './erasure/afterwards'
import { record } from './events'
import { settleFact, type InboundFact } from './inbox'
import { endedByOrderSql } from './quarantine'

export interface ChannelAnswer {
  orderId?: string
  quarantineId?: string
}

/** The channel's signing secret; undefined when there is no such channel or it has none. */
export const shopifySecret = async (db: Db, channelId: string): Promise<string | undefined> =>
  (await row<{ secret: string | null }>(db, 'SELECT shopify_secret AS secret FROM channels WHERE channel_id = ?', [channelId]))?.secret ?? undefined

/** Writes down what came of a message, for the next time it is sent. */
export async function keepChannelAnswer(tx: Transaction, source: string, eventId: string, answer: ChannelAnswer): Promise<void> {
  await run(tx, `UPDATE inbound_events SET status = 'done', outcome = ?, done_at = now() WHERE source = ? AND event_id = ?`, [JSON.stringify(answer), source, eventId])
}

/** What came of a message that was sent before. */
export async function firstChannelAnswer(db: Db | Transaction, source: string, eventId: string): Promise<ChannelAnswer> {
  const first = await row<{ outcome: string | null }>(db, `SELECT outcome FROM inbound_events WHERE source = ? AND event_id = ? AND status = 'done'`, [source, eventId])
  return first?.outcome?.startsWith('{') ? (JSON.parse(first.outcome) as ChannelAnswer) : {}
}

/** The channel sent an order again with another body: the first one stands, and the timeline says so. */
export const recordResubmitted = (tx: Transaction, order: { orderId: string; channel: string }, eventId: string): Promise<void> =>
  record(tx, order, { type: 'order.resubmitted', actor: `channel:${order.channel}`, data: { eventId } })

/** Keeps a message about an order that has not come yet. It may have come since it was looked for: whichever of the two is written second finds the other. */
export const keepUntilOrder = (db: Db, fact: InboundFact, outcome: string): Promise<void> =>
  db.transaction(async (tx) => {
    await lockNumber(tx, fact.source, fact.subject)
    await settleFact(tx, fact, 'kept', outcome)
    await run(
      tx,
      `UPDATE inbound_events e SET status = 'queued' WHERE source = ? AND event_id = ? AND EXISTS (SELECT 1 FROM orders WHERE channel = e.payload->>'channel' AND channel_order_id = e.subject)`,
      [fact.source, fact.eventId],
    )
  })

/** Until the end of the transaction nobody else keeps or wakes messages about this order; a statement of its own, so that the next one sees what the one before has written. */
const lockNumber = (tx: Transaction, source: string, channelOrderId: string): Promise<void> => run(tx, 'SELECT pg_advisory_xact_lock(hashtext(?), hashtext(?))', [source, channelOrderId])

export interface ChannelDocument {
  source: string
  eventId: string
  channel: string
  channelOrderId: string
  topic: string
  body: unknown
  /** When the channel said it, by its own clock. */
  saidAt?: string | null
  sequence?: number
  /** The order is as it says. */
  applied?: boolean
}

const documentSql = 'INSERT INTO channel_documents (source, event_id, channel, channel_order_id, topic, body, said_at, sequence, applied) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'

const documentBindings = (d: ChannelDocument): unknown[] => [
  d.source, d.eventId, d.channel, d.channelOrderId, d.topic, JSON.stringify(d.body), d.saidAt ?? null, d.sequence ?? null, d.applied ?? false,
]

/** The channel's own words about an order, as they came; of one whose customer was erased, that they came. */
export async function keepDocument(tx: Transaction, document: ChannelDocument): Promise<void> {
  const body = (await isErased(tx, document)) ? {} : document.body
  await run(tx, documentSql, documentBindings({ ...document, body }))
}

/**
 * A document has become an order: it is kept with its audit row, what waits in quarantine about the same order has become it too, and
 * messages about it that came before it are looked at again. Few statements: a shop waits for it.
 */
export async function documentBecameOrder(tx: Transaction, document: ChannelDocument, orderId: string, audit: AuditEntry): Promise<void> {
  const { source, channel, channelOrderId } = document
  await lockNumber(tx, source, channelOrderId)
  await run(
    tx,
    `WITH audited AS (${auditSql}), kept AS (${documentSql}), ended AS (${endedByOrderSql})
     UPDATE inbound_events SET status = 'queued', leased_until = NULL WHERE status = 'kept' AND source = ? AND subject = ?`,
    [...auditBindings(tx, [audit]), ...documentBindings({ ...document, applied: true }), orderId, channel, channelOrderId, source, channelOrderId],
  )
}

/** What a channel said of an order, first to last. */
export const documentsOf = (db: Db, orderId: string): Promise<(Pick<ChannelDocument, 'source' | 'eventId' | 'topic' | 'body'> & { receivedAt: string })[]> =>
  rows(
    db,
    `SELECT source, event_id AS "eventId", topic, body, d.received_at AS "receivedAt"
     FROM channel_documents d JOIN orders USING (channel, channel_order_id) WHERE order_id = ? ORDER BY d.received_at, event_id`,
    [orderId],
  )

export interface DocumentId {
  source: string
  eventId: string
}

export interface NewestDocuments {
  /** What the order is like. */
  applied: unknown
  /** What the channel has said last; the same where nothing is new. */
  newest: { eventId: string; body: unknown; applied: boolean } | undefined
}

/** By the channel's own clock: messages overtake each other. */
export async function newestDocuments(db: Db | Transaction, source: string, channelOrderId: string): Promise<NewestDocuments> {
  const found = await rows<{ eventId: string; body: unknown; applied: boolean }>(
    db,
    `SELECT event_id AS "eventId", body, applied FROM channel_documents WHERE source = ? AND channel_order_id = ? AND topic IN ('order', 'update') ORDER BY said_at DESC NULLS LAST, received_at DESC`,
    [source, channelOrderId],
  )
  return { applied: found.find((d) => d.applied)?.body, newest: found[0] }
}

export async function documentApplied(tx: Transaction, { source, eventId }: DocumentId): Promise<void> {
  await run(tx, 'UPDATE channel_documents SET applied = true WHERE source = ? AND event_id = ?', [source, eventId])
}

export interface ChannelRefund {
  source: string
  refundId: string
  orderId: string
  amountMinor: number
  currency: string | null
  units: readonly unknown[]
}

export const isRefundKept = async (db: Db, source: string, refundId: string): Promise<boolean> =>
  (await row(db, 'SELECT 1 FROM channel_refunds WHERE source = ? AND refund_id = ?', [source, refundId])) !== undefined

/** @returns false when this refund was written down before. */
export const keepChannelRefund = async (tx: Transaction, refund: ChannelRefund): Promise<boolean> =>
  (await row(
    tx,
    'INSERT INTO channel_refunds (source, refund_id, order_id, amount_minor, currency, units) VALUES (?, ?, ?, ?, ?, ?::jsonb) ON CONFLICT DO NOTHING RETURNING refund_id',
    [refund.source, refund.refundId, refund.orderId, refund.amountMinor, refund.currency, JSON.stringify(refund.units)],
  )) !== undefined

/** Of each line as it was ordered, how many units are cancelled here for which the channel has given nothing back yet. */
export const cancelledUnrefunded = (db: Db, orderId: string): Promise<{ lineId: string; quantity: number }[]> =>
  rows(
    db,
    `WITH given AS (
       SELECT u->>'lineId' AS line, sum((u->>'quantity')::int) AS quantity FROM channel_refunds r, jsonb_array_elements(r.units) u
       WHERE r.order_id = :orderId AND u->>'wish' = 'cancel' GROUP BY 1),
     gone AS (
       SELECT coalesce(kit->>'lineId', line_id) AS line, min(CASE WHEN kit IS NULL THEN cancelled ELSE cancelled * (kit->>'quantity')::int / quantity END) AS quantity
       FROM order_lines WHERE order_id = :orderId GROUP BY 1)
     SELECT gone.line AS "lineId", greatest(0, gone.quantity - coalesce(given.quantity, 0))::int AS quantity FROM gone LEFT JOIN given USING (line)`,
    { orderId },
  )
