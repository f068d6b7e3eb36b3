/** A cancellation came after the goods had left: whoever carries them is to be asked for them, and a case says so until that is answered. What comes back is dealt with like every parcel that does. */
import { isGone } from '../../domain/fulfillment/moves'
import { cancellableLines } from '../../domain/order/cancellation'
import type { Units } from '../../domain/payment/shares'
import { refuse, type Refusal } from '../../domain/refusals'
import { linesInPlaces } from '../cancellable'
import { rows, type Transaction } from '../connection'
import { record } from '../events'
import { fulfillmentsOf } from '../fulfillments'
import { lockOrder } from '../orders'
import { deadlineOf } from '../undelivered'
import { openException } from '../waiting'

export interface ParcelsAskedBack {
  exceptionId: string
  parcels: { fulfillmentId: string; carrier: string; trackingNumber: string }[]
  /** What has not left and can still be cancelled by itself, where all of the order was asked for. */
  cancellable?: Units[]
}

export interface AskedBack {
  orderId: string
  actor: string
  reason: string
  /** Only what is in these; absent: nothing of the order is wanted. */
  lineIds?: readonly string[]
}

/** Asked again, it is the same case. */
export async function askParcelsBack(tx: Transaction, { orderId, actor, reason, lineIds }: AskedBack): Promise<ParcelsAskedBack> {
  const order = await lockOrder(tx, orderId)
  const onTheirWay = (await fulfillmentsOf(tx, orderId)).filter((f) => isGone(f) && (f.status === 'handed_over' || f.status === 'in_transit')).map((f) => f.fulfillmentId)
  const parcels = await rows<ParcelsAskedBack['parcels'][number]>(
    tx,
    `SELECT fulfillment_id AS "fulfillmentId", carrier, tracking_number AS "trackingNumber" FROM packages WHERE fulfillment_id = ANY(?::uuid[]) AND carrier IS NOT NULL
       AND (?::text[] IS NULL OR EXISTS (SELECT 1 FROM fulfillment_lines l WHERE l.fulfillment_id = packages.fulfillment_id AND l.line_id = ANY(?::text[]))) ORDER BY fulfillment_id, number`,
    [onTheirWay, lineIds ?? null, lineIds ?? null],
  )
  const inside = lineIds ? [] : cancellableLines(await linesInPlaces(tx, orderId))
  const summary = lineIds ? 'The customer does not want some of it any more that has left: ask the carrier to stop it, and tell her what becomes of it' : 'The customer wants none of it any more and it has left: ask the carrier to stop it, and tell her what becomes of it'
  const exceptionId = await openException(tx, { ...order, kind: 'shipment.intercept_wanted', subject: orderId, owner: 'operations', summary, data: { reason, parcels, ...(lineIds && { lineIds }) }, deadline: deadlineOf(order.policy.parcels) })
  await record(tx, order, { type: 'shipment.intercept_asked', actor, data: { exceptionId, parcels } })
  return { exceptionId, parcels, ...(inside.length > 0 && { cancellable: inside }) }
}

/** Where a refusal says that goods are asked back instead, they are, and it says by which case. What it says is done already stays as it is. */
export async function askBackInstead(tx: Transaction, refusal: Refusal, ask: Omit<AskedBack, 'lineIds'>): Promise<Refusal> {
  const { code, data, detail, errors } = refusal
  if (data.instead !== 'intercept' || data.exceptionId !== undefined) return refusal
  const lines = data.lines as { lineId: string }[] | undefined
  return refuse(code, { ...data, ...(await askParcelsBack(tx, { ...ask, ...(lines && { lineIds: lines.map((l) => l.lineId) }) })) }, detail, errors)
}
