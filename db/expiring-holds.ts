/** Holds whose time runs out while the goods they pay for have still to leave, or the goods they are held over have still to come back: the order's workflow hears of each once, and holds the money anew. */
import { rows, type Db, type Transaction } from './connection'
import { tellLater } from './inbox'
import { snapshotOf } from './orders'

/** @returns how many holds were told of now. */
export const tellOfExpiringHolds = (db: Db): Promise<number> =>
  db.transaction(async (tx) => {
    const expiring = [...(await expiringHolds(tx)), ...(await expiringGuards(tx))]
    for (const { channel, channelOrderId, eventId, ...fact } of expiring)
      await tellLater(tx, { source: 'watch', eventId, kind: 'payment', subject: fact.paymentId, payload: {} }, { channel, channelOrderId, signal: 'holdExpires', fact })
    return expiring.length
  })

/** How long before its end a hold is held anew. */
const aheadOf = `(${snapshotOf('o')}->'payment'->>'reauthorizeBefore')::interval`

const heard = (paymentId: string): string => `'hold-expires:' || ${paymentId}`

interface Expiring {
  paymentId: string
  /** It is held over what is to come back under this return. */
  returnId?: string
  channel: string
  channelOrderId: string
  eventId: string
}

/** Also those that the provider has let go of already, because nobody was there to look in time; not those that we let go of ourselves. */
const expiringHolds = (tx: Transaction): Promise<Expiring[]> =>
  rows(
    tx,
    `SELECT p.payment_id AS "paymentId", o.channel, o.channel_order_id AS "channelOrderId", ${heard('p.payment_id')} AS "eventId" FROM payments p JOIN orders o USING (order_id)
     WHERE p.status IN ('authorized', 'voided') AND p.part > 0 AND p.authorization_expires_at BETWEEN now() - interval '30 days' AND now() + (SELECT max((document->>'reauthorizeBefore')::interval) FROM policies WHERE kind = 'payment')
       AND p.authorization_expires_at < now() + ${aheadOf}
       AND o.workflow_open AND o.stage = 'open'
       AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND l.quantity > l.cancelled + l.shipped)
       AND NOT EXISTS (SELECT 1 FROM payment_operations v WHERE v.payment_id = p.payment_id AND v.kind = 'void')
       AND NOT EXISTS (SELECT 1 FROM payments later WHERE later.order_id = p.order_id AND later.tender_id = p.tender_id AND later.part > p.part)
       AND NOT EXISTS (SELECT 1 FROM inbound_events e WHERE e.source = 'watch' AND e.event_id = ${heard('p.payment_id')})
     ORDER BY p.authorization_expires_at LIMIT 200`,
  )

/** What is held over goods that are to come back, and runs out before they have to be, or soon after: that date may be put off on the day, and what is charged on it takes its time. */
const expiringGuards = (tx: Transaction): Promise<Expiring[]> =>
  rows(
    tx,
    `SELECT p.payment_id AS "paymentId", r.return_id AS "returnId", o.channel, o.channel_order_id AS "channelOrderId", ${heard('p.payment_id')} AS "eventId"
     FROM exchange_payments x JOIN payments p USING (payment_id) JOIN orders o ON o.order_id = p.order_id JOIN returns r USING (return_id)
     WHERE x.role = 'guard' AND p.status IN ('authorized', 'voided') AND p.authorization_expires_at < now() + ${aheadOf}
       AND p.authorization_expires_at < r.due_at + ${aheadOf} AND r.ended_at IS NULL AND o.workflow_open
       AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind IN ('void', 'capture') AND op.status <> 'abandoned')
       AND NOT EXISTS (SELECT 1 FROM inbound_events e WHERE e.source = 'watch' AND e.event_id = ${heard('p.payment_id')})
     ORDER BY p.authorization_expires_at LIMIT 200`,
  )
