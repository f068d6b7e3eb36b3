/** Messages that could not become an order: kept whole, with every reason, until they are repaired. Held as `json`, which keeps what `jsonb` would refuse. */
import { uuidv7 } from 'uuidv7'
import type { RefusalDetail } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'
import { isErased } from './erasure/afterwards'

export interface QuarantinedMessage {
  quarantineId: string
  channel: string
  source: string
  topic: string
  body: unknown
  /** Of the body as it is kept. */
  reasons: readonly RefusalDetail[]
  status: 'open' | 'ordered' | 'taken' | 'dismissed'
  orderId: string | null
  /** Said where it ended otherwise than by a repair. */
  resolution: string | null
}

/** What is about an order whose customer was erased waits for nobody. @returns the id under which it can be found and tried again. */
export async function quarantine(
  tx: Transaction,
  message: { channel: string; source: string; eventId: string; topic?: string; channelOrderId?: string; sequence?: number; body: unknown; reasons: readonly RefusalDetail[] },
): Promise<string> {
  const quarantineId = uuidv7()
  const { channel, channelOrderId } = message
  const erased = channelOrderId !== undefined && (await isErased(tx, { channel, channelOrderId }))
  await tx('quarantine').insert({
    quarantine_id: quarantineId,
    channel: message.channel,
    source: message.source,
    event_id: message.eventId,
    topic: message.topic ?? 'order',
    channel_order_id: message.channelOrderId ?? null,
    sequence: message.sequence ?? null,
    body: erased ? '{}' : JSON.stringify(message.body),
    reasons: erased ? '[]' : JSON.stringify(message.reasons),
    ...(erased && { status: 'dismissed', resolution: 'erased', ended_at: tx.fn.now() }),
  })
  return quarantineId
}

/** The message, locked until the end of the transaction: two people do not repair it at once. */
export const lockQuarantined = (tx: Transaction, quarantineId: string): Promise<QuarantinedMessage | undefined> =>
  row<QuarantinedMessage>(
    tx,
    'SELECT quarantine_id AS "quarantineId", channel, source, topic, body, reasons, status, order_id AS "orderId", resolution FROM quarantine WHERE quarantine_id = ? FOR UPDATE',
    [quarantineId],
  )

/** It was about an order, and is asked of it now. */
export async function wasTaken(tx: Transaction, quarantineId: string, orderId: string | null, body: unknown): Promise<void> {
  await tx('quarantine').where({ quarantine_id: quarantineId }).update({ status: 'taken', order_id: orderId, body: JSON.stringify(body), retried_at: tx.fn.now(), ended_at: tx.fn.now() })
}

export async function becameOrder(tx: Transaction, quarantineId: string, orderId: string, body: unknown): Promise<void> {
  await tx('quarantine').where({ quarantine_id: quarantineId }).update({ status: 'ordered', order_id: orderId, resolution: null, body: JSON.stringify(body), retried_at: tx.fn.now(), ended_at: tx.fn.now() })
}

/** Tried again in vain. `reasons` are those of the body as it is kept; undefined leaves them as they were. */
export async function stillWaits(tx: Transaction, quarantineId: string, reasons: readonly RefusalDetail[] | undefined): Promise<void> {
  await tx('quarantine').where({ quarantine_id: quarantineId }).update({ ...(reasons && { reasons: JSON.stringify(reasons) }), retried_at: tx.fn.now() })
}

/** Open messages about an order that has come by another message: they have become that order too. Bindings: order id, channel, its number there. */
export const endedByOrderSql = `UPDATE quarantine SET status = 'ordered', order_id = ?, resolution = 'the channel sent it again', ended_at = now()
  WHERE channel = ? AND channel_order_id = ? AND status = 'open' AND topic = 'order'`

/** What an order was to be changed by, and could not, is in what was taken now. */
export const endedByUpdate = (tx: Transaction, order: { channel: string; channelOrderId: string; orderId: string }): Promise<void> =>
  run(
    tx,
    `UPDATE quarantine SET status = 'taken', order_id = ?, resolution = 'the channel said it again', ended_at = now()
     WHERE channel = ? AND channel_order_id = ? AND status = 'open' AND topic = 'orders/updated'`,
    [order.orderId, order.channel, order.channelOrderId],
  )

/** Does something wait here that is to become this order? */
export const isQuarantined = async (tx: Transaction, channel: string, channelOrderId: string): Promise<boolean> =>
  (await row(tx, `SELECT 1 FROM quarantine WHERE channel = ? AND channel_order_id = ? AND status = 'open' AND topic = 'order' LIMIT 1`, [channel, channelOrderId])) !== undefined

/** Somebody takes it on. */
export async function assignQuarantined(tx: Transaction, { quarantineId }: QuarantinedMessage, { assignee, actor }: { assignee: string; actor: string }): Promise<void> {
  await run(tx, 'UPDATE quarantine SET assignee = ? WHERE quarantine_id = ?', [assignee, quarantineId])
  await writeAudit(tx, { actor, action: 'quarantine.assign', subject: quarantineId, cause: assignee })
}

/** It will be no order, for a reason that a person gives. The message stays. */
export async function dismissQuarantined(tx: Transaction, { quarantineId }: QuarantinedMessage, { actor, reason }: { actor: string; reason: string }): Promise<void> {
  await run(tx, `UPDATE quarantine SET status = 'dismissed', resolution = ?, ended_by = ?, ended_at = now() WHERE quarantine_id = ?`, [reason, actor, quarantineId])
  await writeAudit(tx, { actor, action: 'quarantine.dismiss', subject: quarantineId, cause: 'api' })
}

/** How much waits, by channel, and for how long the oldest has: for whoever watches numbers. */
export const quarantined = (db: Db): Promise<{ channel: string; open: number; oldestSeconds: number }[]> =>
  rows(
    db,
    `SELECT channel_id AS channel, count(quarantine_id)::int AS open, coalesce(extract(epoch FROM now() - min(received_at)), 0)::int AS "oldestSeconds"
     FROM channels LEFT JOIN quarantine ON channel = channel_id AND status = 'open' GROUP BY 1 ORDER BY 1`,
  )

/** Channels with messages that have waited longer than this. */
export const overdueQuarantine = (tx: Transaction, hours: number): Promise<{ channel: string; open: number; oldestAt: string }[]> =>
  rows(
    tx,
    `SELECT channel, count(*)::int AS open, min(received_at) AS "oldestAt" FROM quarantine WHERE status = 'open' AND received_at < now() - ? * interval '1 hour' GROUP BY 1 ORDER BY 1`,
    [hours],
  )
