/** What channels send by themselves: each message is one row in the inbox, taken in the transaction of what it does, so a repeat finds its answer. */
import { row, run, type Db, type Transaction } from './connection'
import { record } from './events'

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

/** Messages about an order that had not come yet are looked at again. */
export async function wakeKeptMessages(tx: Transaction, source: string, channelOrderId: string): Promise<void> {
  await run(tx, `UPDATE inbound_events SET status = 'queued', leased_until = NULL WHERE status = 'kept' AND source = ? AND subject = ?`, [source, channelOrderId])
}

/** The order may have come between looking for it and keeping the message; whichever is written second finds the other. */
export async function wakeIfOrderCame(db: Db, fact: { source: string; eventId: string }): Promise<void> {
  await run(
    db,
    `UPDATE inbound_events e SET status = 'queued', leased_until = NULL WHERE source = ? AND event_id = ? AND status = 'kept'
     AND EXISTS (SELECT 1 FROM orders WHERE channel = e.payload->>'channel' AND channel_order_id = e.subject)`,
    [fact.source, fact.eventId],
  )
}
