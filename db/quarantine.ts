/** Messages that could not become an order: kept whole, with every reason, until they are repaired. Held as `json`, which keeps what `jsonb` would refuse. */
import { uuidv7 } from 'uuidv7'
import type { RefusalDetail } from '../domain/refusals'
import { row, type Transaction } from './connection'

export interface QuarantinedMessage {
  quarantineId: string
  channel: string
  body: unknown
  status: 'open' | 'ordered' | 'dismissed'
  orderId: string | null
}

/** @returns the id under which it can be found and tried again. */
export async function quarantine(
  tx: Transaction,
  message: { channel: string; source: string; eventId: string; body: unknown; reasons: readonly RefusalDetail[] },
): Promise<string> {
  const quarantineId = uuidv7()
  await tx('quarantine').insert({
    quarantine_id: quarantineId,
    channel: message.channel,
    source: message.source,
    event_id: message.eventId,
    body: JSON.stringify(message.body),
    reasons: JSON.stringify(message.reasons),
  })
  return quarantineId
}

/** The message, locked until the end of the transaction: two people do not repair it at once. */
export const lockQuarantined = (tx: Transaction, quarantineId: string): Promise<QuarantinedMessage | undefined> =>
  row<QuarantinedMessage>(
    tx,
    'SELECT quarantine_id AS "quarantineId", channel, body, status, order_id AS "orderId" FROM quarantine WHERE quarantine_id = ? FOR UPDATE',
    [quarantineId],
  )

export async function becameOrder(tx: Transaction, quarantineId: string, orderId: string, body: unknown): Promise<void> {
  await tx('quarantine').where({ quarantine_id: quarantineId }).update({ status: 'ordered', order_id: orderId, body: JSON.stringify(body), retried_at: tx.fn.now() })
}

/** Tried again in vain. `reasons` are those of the body as it is kept; undefined leaves them as they were. */
export async function stillWaits(tx: Transaction, quarantineId: string, reasons: readonly RefusalDetail[] | undefined): Promise<void> {
  await tx('quarantine').where({ quarantine_id: quarantineId }).update({ ...(reasons && { reasons: JSON.stringify(reasons) }), retried_at: tx.fn.now() })
}
