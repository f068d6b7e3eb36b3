/** The timeline of an order, its server-sent events and its outbox are one append-only table; a line is written in the transaction of the fact it tells. */
import type { EventType } from '../domain/events'
import type { Transaction } from './connection'

export interface OrderEvent {
  type: EventType
  actor: string
  data?: Record<string, unknown>
}

/** Appends `events` to the order's timeline, in this order. `data` carries ids, amounts and reasons; no personal data. */
export async function record(tx: Transaction, order: { orderId: string; channel: string }, ...events: readonly OrderEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx('order_events').insert(
    events.map((e) => ({ order_id: order.orderId, channel: order.channel, type: e.type, actor: e.actor, data: JSON.stringify(e.data ?? {}) })),
  )
}

/** What Throughline does by itself is signed with its own name. */
export const self = 'throughline'
