/** Deliveries by lease: taken by whoever has room, settled many at a time. A process that dies gives back what it was sending, and it is sent again: at least once, under one id. */
import { uuidv7 } from 'uuidv7'
import { healthy, probing, type Health } from '../domain/delivery/breaker'
import { refuse } from '../domain/refusals'
import { retrySettings } from '../domain/webhooks/attempt'
import { testEventType, webhookId, type PayloadVersion } from '../domain/webhooks/message'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface DueEndpoint {
  endpointId: string
  url: string
  /** Those that are valid now, the newest first. */
  secrets: string[]
  health: Health
}

interface DueRow {
  endpointId: string
  url: string
  secrets: string[]
  score: number
  scoredAt: string
  fencedUntil: string | null
}

const healthColumns = 'score, scored_at AS "scoredAt", fenced_until AS "fencedUntil"'
export const readHealth = ({ score, scoredAt, fencedUntil }: Pick<DueRow, 'score' | 'scoredAt' | 'fencedUntil'>): Health =>
  score === 0 && fencedUntil === null ? healthy : { score, at: Date.parse(scoredAt), fencedUntil: fencedUntil === null ? null : Date.parse(fencedUntil) }

/** Endpoints that are not fenced off and for which something may be due. */
export async function dueEndpoints(db: Db): Promise<DueEndpoint[]> {
  const due = await rows<DueRow>(
    db,
    `SELECT endpoint_id AS "endpointId", url, array_remove(ARRAY[secret, CASE WHEN previous_until > now() THEN previous_secret END], NULL) AS secrets, ${healthColumns}
     FROM webhook_endpoints e WHERE status = 'enabled' AND (fenced_until IS NULL OR fenced_until <= now())
       AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.status = 'pending' AND d.next_attempt_at <= now())
     ORDER BY endpoint_id`,
  )
  return due.map(({ endpointId, url, secrets, ...health }) => ({ endpointId, url, secrets, health: readHealth(health) }))
}

/** Takes the one try that an endpoint is given once it has cooled down. @returns false when somebody else has it. */
export const takeWebhookProbe = (db: Db, endpointId: string, health: Health, now: number): Promise<boolean> =>
  row(
    db,
    `UPDATE webhook_endpoints SET fenced_until = ? WHERE endpoint_id = ? AND fenced_until <= now() RETURNING endpoint_id`,
    [new Date(probing(health, now).fencedUntil!).toISOString(), endpointId],
  ).then((taken) => taken !== undefined)

export interface TakenDelivery {
  deliveryId: string
  webhookId: string
  /** Which taking of this delivery it is. */
  claim: number
  failures: number
  giveUpAt: string
  queuedAt: string
  apiVersion: PayloadVersion
  type: string
  at: string
  seq: number | null
  orderId: string | null
  channel: string | null
  channelOrderId: string | null
  data: Record<string, unknown>
}

/** Takes up to `limit` deliveries of an endpoint for `leaseMs`. Of each order only the first that waits; what a person asked for waits for nothing, and is the first to be tried. */
export const takeDeliveries = (db: Db, endpointId: string, { limit, leaseMs, byHandFirst = false }: { limit: number; leaseMs: number; byHandFirst?: boolean }): Promise<TakenDelivery[]> =>
  rows(
    db,
    `WITH due AS MATERIALIZED (
       SELECT delivery_id FROM webhook_deliveries d
       WHERE endpoint_id = ? AND status = 'pending' AND next_attempt_at <= now()
         AND (by_hand OR NOT EXISTS (SELECT 1 FROM webhook_deliveries a WHERE a.endpoint_id = d.endpoint_id AND a.order_id = d.order_id AND a.seq < d.seq AND a.status = 'pending' AND NOT a.by_hand))
       ORDER BY ${byHandFirst ? 'by_hand DESC, ' : ''}next_attempt_at, seq LIMIT ? FOR UPDATE SKIP LOCKED),
     taken AS (
       UPDATE webhook_deliveries d SET claims = claims + 1, next_attempt_at = now() + ? * interval '1 millisecond' FROM due WHERE d.delivery_id = due.delivery_id RETURNING d.*)
     SELECT t.delivery_id AS "deliveryId", t.webhook_id AS "webhookId", t.claims AS claim, t.failures, t.give_up_at AS "giveUpAt", t.queued_at AS "queuedAt", t.api_version AS "apiVersion",
       t.type, coalesce(e.at, t.queued_at) AS at, t.seq, t.order_id AS "orderId", e.channel, o.channel_order_id AS "channelOrderId", coalesce(e.data, '{}') AS data
     FROM taken t LEFT JOIN order_events e ON e.seq = t.seq LEFT JOIN orders o ON o.order_id = t.order_id ORDER BY t.seq`,
    [endpointId, limit, leaseMs],
  )

/** A person wants to know now: an endpoint that is fenced off is tried at once. */
const tryNow = (tx: Transaction, endpointId: string): Promise<void> => run(tx, 'UPDATE webhook_endpoints SET fenced_until = now() WHERE endpoint_id = ? AND fenced_until > now()', [endpointId])

/** Sent outside the log, so that somebody sees whether an endpoint works. */
export async function queueTest(tx: Transaction, { endpointId, apiVersion }: { endpointId: string; apiVersion: string }): Promise<string> {
  const deliveryId = uuidv7()
  await run(
    tx,
    `INSERT INTO webhook_deliveries (delivery_id, endpoint_id, webhook_id, type, api_version, by_hand, give_up_at) VALUES (?, ?, ?, ?, ?, true, now() + ? * interval '1 millisecond')`,
    [deliveryId, endpointId, webhookId(endpointId, `test_${deliveryId.replaceAll('-', '')}`), testEventType, apiVersion, retrySettings.giveUpMs],
  )
  await tryNow(tx, endpointId)
  return deliveryId
}

/** Sent again, whatever became of it before, under the id it has. @throws `webhook_endpoint.disabled` */
export async function redeliver(tx: Transaction, deliveryId: string): Promise<void> {
  const again = await row<{ endpointId: string }>(
    tx,
    `UPDATE webhook_deliveries d SET status = 'pending', by_hand = true, failures = 0, next_attempt_at = now(), give_up_at = now() + ? * interval '1 millisecond', reason = NULL, settled_at = NULL
     FROM webhook_endpoints e WHERE d.delivery_id = ? AND e.endpoint_id = d.endpoint_id AND e.status = 'enabled' RETURNING d.endpoint_id AS "endpointId"`,
    [retrySettings.giveUpMs, deliveryId],
  )
  if (!again) throw refuse('webhook_endpoint.disabled')
  await tryNow(tx, again.endpointId)
}

/** Forgets what was settled longer ago than `days`; what waits is never forgotten. @returns how many rows, at most `limit`. */
export async function forgetDeliveries(db: Db, days: number, limit: number): Promise<number> {
  const gone = await rows(
    db,
    `DELETE FROM webhook_deliveries WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries
       WHERE status <> 'pending' AND settled_at < now() - ? * interval '1 day' ORDER BY settled_at LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING 1`,
    [days, limit],
  )
  return gone.length
}
