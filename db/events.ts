/** The timeline of an order, its server-sent events and its outbox are one append-only table; a line is written in the transaction of the fact it tells. */
import type { EventType } from '../domain/events'
import { run, type Transaction } from './connection'

export interface OrderEvent {
  type: EventType
  actor: string
  data?: Record<string, unknown>
}

/** Appends `events` to the order's timeline, in this order. `data` carries ids, amounts and reasons; no personal data. */
export async function record(tx: Transaction, order: { orderId: string; channel: string }, ...events: readonly OrderEvent[]): Promise<void> {
  if (events.length === 0) return
  const told = events.map((e) => ({ type: e.type, actor: e.actor, data: e.data ?? {} }))
  await run(
    tx,
    `INSERT INTO order_events (order_id, channel, type, actor, data)
     SELECT ?::uuid, ?, e.type, e.actor, e.data FROM ROWS FROM (jsonb_to_recordset(?::jsonb) AS (type text, actor text, data jsonb)) WITH ORDINALITY AS e ORDER BY ordinality`,
    [order.orderId, order.channel, JSON.stringify(told)],
  )
}

/** The same for events of many orders, in one statement. */
export async function recordEach(tx: Transaction, events: readonly (OrderEvent & { orderId: string })[]): Promise<void> {
  if (events.length === 0) return
  const told = events.map((e) => ({ orderId: e.orderId, type: e.type, actor: e.actor, data: e.data ?? {} }))
  await run(
    tx,
    `INSERT INTO order_events (order_id, channel, type, actor, data)
     SELECT e."orderId", o.channel, e.type, e.actor, e.data FROM ROWS FROM (jsonb_to_recordset(?::jsonb) AS ("orderId" uuid, type text, actor text, data jsonb)) WITH ORDINALITY AS e JOIN orders o ON o.order_id = e."orderId" ORDER BY ordinality`,
    [JSON.stringify(told)],
  )
}

/** What Throughline does by itself is signed with its own name. */
export const self = 'throughline'
