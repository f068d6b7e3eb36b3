/**
 * From the event log to deliveries: each endpoint has a place in the log, and what lies after it becomes rows, a page at a time and in the order of commits.
 * Rows and place move in one transaction, so nothing is skipped and nothing told twice by itself. An endpoint that takes nothing gets only so many rows; the rest waits in the log.
 */
import { uuidv7 } from 'uuidv7'
import { retrySettings } from '../domain/webhooks/attempt'
import { webhookId } from '../domain/webhooks/message'
import { row, rows, run, type Db } from './connection'

/** Deliveries that may wait for one endpoint. */
const mostWaiting = 2_000
const page = 1_000

/** Endpoints that have not been given all they may be given; one that takes nothing has enough with what waits already. */
export const endpointsBehind = (db: Db, limit: number): Promise<{ endpointId: string }[]> =>
  rows(
    db,
    `SELECT e.endpoint_id AS "endpointId" FROM webhook_endpoints e
     WHERE e.status = 'enabled'
       AND EXISTS (SELECT 1 FROM order_events v WHERE (v.xid, v.seq) > (e.cursor_xid, e.cursor_seq) AND v.xid < pg_snapshot_xmin(pg_current_snapshot()))
       AND (e.fenced_until IS NULL OR NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.status = 'pending'))
       AND (SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.status = 'pending' LIMIT ?) w) < ?
     ORDER BY e.cursor_xid, e.endpoint_id LIMIT ?`,
    [mostWaiting, mostWaiting, limit],
  )

interface Fed {
  eventTypes: string[] | null
  channels: string[] | null
  apiVersion: string
  xid: string
  seq: number
}
interface LoggedEvent {
  xid: string
  seq: number
  orderId: string
  channel: string
  type: string
}

/** Gives an endpoint its next page. Somebody else doing so already is as good. @returns how many deliveries were written. */
export const feedEndpoint = (db: Db, endpointId: string): Promise<number> =>
  db.transaction(async (tx) => {
    const endpoint = await row<Fed>(
      tx,
      `SELECT event_types AS "eventTypes", channels, api_version AS "apiVersion", cursor_xid::text AS xid, cursor_seq AS seq FROM webhook_endpoints
       WHERE endpoint_id = ? AND status = 'enabled' FOR UPDATE SKIP LOCKED`,
      [endpointId],
    )
    if (!endpoint) return 0
    const events = await rows<LoggedEvent>(
      tx,
      `SELECT xid::text AS xid, seq, order_id AS "orderId", channel, type FROM order_events
       WHERE (xid, seq) > (?::xid8, ?) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY order_events.xid, seq LIMIT ?`,
      [endpoint.xid, endpoint.seq, page],
    )
    const last = events.at(-1)
    if (!last) return 0
    const wanted = events.filter((event) => (endpoint.eventTypes?.includes(event.type) ?? true) && (endpoint.channels?.includes(event.channel) ?? true))
    const deliveries = wanted.map(({ seq, orderId, type }) => ({ delivery_id: uuidv7(), webhook_id: webhookId(endpointId, String(seq)), seq, order_id: orderId, type }))
    // A row that is there already was replayed: it is sent again under the id it had.
    await run(
      tx,
      `INSERT INTO webhook_deliveries (delivery_id, endpoint_id, webhook_id, seq, order_id, type, api_version, give_up_at)
       SELECT d.delivery_id, ?, d.webhook_id, d.seq, d.order_id, d.type, ?, now() + ? * interval '1 millisecond'
       FROM jsonb_to_recordset(?::jsonb) AS d (delivery_id uuid, webhook_id text, seq bigint, order_id uuid, type text)
       ON CONFLICT (endpoint_id, seq) DO UPDATE SET status = 'pending', by_hand = false, failures = 0, next_attempt_at = now(), give_up_at = excluded.give_up_at, reason = NULL, settled_at = NULL
       WHERE webhook_deliveries.status <> 'pending'`,
      [endpointId, endpoint.apiVersion, retrySettings.giveUpMs, JSON.stringify(deliveries)],
    )
    await run(tx, 'UPDATE webhook_endpoints SET cursor_xid = ?::xid8, cursor_seq = ? WHERE endpoint_id = ?', [last.xid, last.seq, endpointId])
    return deliveries.length
  })
