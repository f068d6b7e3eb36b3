/** Reads webhook endpoints, without their secrets, and the log of what was sent to them. */
import { row, rows, type Db, type Transaction } from '../connection'
import { Conditions } from './sql'

export interface EndpointView {
  endpointId: string
  url: string
  eventTypes: string[] | null
  channels: string[] | null
  description: string
  apiVersion: string
  status: 'enabled' | 'disabled'
  disabledReason: string | null
  /** Left alone until then, because it took nothing. */
  fencedUntil: string | null
  previousSecretUntil: string | null
  lastSuccessAt: string | null
  /** Deliveries that wait. */
  pending: number
  createdAt: string
}

const endpointColumns = `e.endpoint_id AS "endpointId", e.url, e.event_types AS "eventTypes", e.channels, e.description, e.api_version AS "apiVersion", e.status, e.disabled_reason AS "disabledReason",
  CASE WHEN e.fenced_until > now() THEN e.fenced_until END AS "fencedUntil", CASE WHEN e.previous_until > now() THEN e.previous_until END AS "previousSecretUntil", e.last_success_at AS "lastSuccessAt",
  (SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.status = 'pending') AS pending, e.created_at AS "createdAt"`

/** Whose endpoints: all, or those that hear of no other channels than these. */
export type Reach = readonly string[] | null

export const endpointView = (db: Db | Transaction, endpointId: string, reach: Reach): Promise<EndpointView | undefined> => {
  const where = within(new Conditions().add('e.endpoint_id = ?', endpointId), reach)
  return row(db, `SELECT ${endpointColumns} FROM webhook_endpoints e ${where.where}`, where.bindings)
}

/** Ids are in time order, so the oldest comes first. */
export function endpointList(db: Db, { reach, after, limit }: { reach: Reach; after?: string; limit: number }): Promise<EndpointView[]> {
  const where = within(new Conditions().when(after, 'e.endpoint_id > ?'), reach)
  return rows(db, `SELECT ${endpointColumns} FROM webhook_endpoints e ${where.where} ORDER BY e.endpoint_id LIMIT ?`, [...where.bindings, limit])
}

const within = (where: Conditions, reach: Reach): Conditions => where.add(`e.status <> 'deleted'`).when(reach && [...reach], 'e.channels <@ ?::text[]')

export interface DeliveryView {
  deliveryId: string
  endpointId: string
  webhookId: string
  type: string
  orderId: string | null
  seq: number | null
  status: 'pending' | 'delivered' | 'dead'
  reason: string | null
  queuedAt: string
  nextAttemptAt: string | null
  settledAt: string | null
  attempts: { at: string; status: number | null; durationMs: number; error: string | null; answer: string | null }[]
}

const deliveryColumns = `d.delivery_id AS "deliveryId", d.endpoint_id AS "endpointId", d.webhook_id AS "webhookId", d.type, d.order_id AS "orderId", d.seq, d.status, d.reason, d.queued_at AS "queuedAt",
  CASE WHEN d.status = 'pending' THEN d.next_attempt_at END AS "nextAttemptAt", d.settled_at AS "settledAt", d.attempts`
const deliveries = 'webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id)'

export const deliveryView = (db: Db | Transaction, deliveryId: string, reach: Reach): Promise<DeliveryView | undefined> => {
  const where = within(new Conditions().add('d.delivery_id = ?', deliveryId), reach)
  return row(db, `SELECT ${deliveryColumns} FROM ${deliveries} ${where.where}`, where.bindings)
}

export interface DeliveryFilter {
  endpointId?: string
  status?: string
  orderId?: string
  type?: string
  reach: Reach
  before?: string
  limit: number
}

/** The newest first. */
export function deliveryList(db: Db, filter: DeliveryFilter): Promise<DeliveryView[]> {
  const where = within(new Conditions(), filter.reach)
    .when(filter.endpointId, 'd.endpoint_id = ?')
    .when(filter.status, 'd.status = ?')
    .when(filter.orderId, 'd.order_id = ?')
    .when(filter.type, 'd.type = ?')
    .when(filter.before, 'd.delivery_id < ?')
  return rows(db, `SELECT ${deliveryColumns} FROM ${deliveries} ${where.where} ORDER BY d.delivery_id DESC LIMIT ?`, [...where.bindings, filter.limit])
}
