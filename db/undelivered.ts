/** A parcel that never arrived: its units are accounted for, and sent again or given up by policy; the carrier is asked for compensation. Once per parcel, under the order's lock. */
import { uuidv7 } from 'uuidv7'
import { ownFleet } from '../domain/delivery/own-fleet'
import { defaultPolicies, type ParcelPolicy } from '../domain/policy/kinds'
import { durationMs } from '../domain/policy/duration'
import { row, rows, run, type Transaction } from './connection'
import { record, self } from './events'
import type { OrderRow } from './orders'
import { giveBackUnsent } from './guards'
import { refundUnsent, type IntendedRefund } from './refunds'
import type { TrackedPackage } from './shipments'
import { changeLines, undeliver, type Ended } from './stock'

export const undeliveredStatuses = ['lost', 'damaged', 'returned'] as const
export type Undelivered = (typeof undeliveredStatuses)[number]
export const isUndelivered = (status: string): status is Undelivered => (undeliveredStatuses as readonly string[]).includes(status)

export interface Remedy {
  packageId: string
  remedy: 'reship' | 'refund'
  refunds: IntendedRefund[]
  /** The operation by which the carrier is asked for compensation. */
  claim?: string
}

/** @returns undefined when the parcel was dealt with before. */
export async function remedy(tx: Transaction, order: OrderRow, parcel: TrackedPackage, status: Undelivered): Promise<Remedy | undefined> {
  const policy: ParcelPolicy = order.policy.parcels ?? defaultPolicies.parcels // orders from before there was this policy
  const units = await takeUnits(tx, parcel.packageId, status)
  if (!units) return undefined
  const chosen = policy[status]
  const nodeId = units[0]!.nodeId
  const goods = status === 'returned' ? policy.goodsBack : 'written_off'
  await undeliver(tx, { orderId: order.orderId, nodeId, actor: self, reason: status, goods }, units)
  await changeLines(tx, order.orderId, units, chosen === 'reship' ? 'resend = l.resend + v.quantity' : 'cancelled = l.cancelled + v.quantity')
  const worthMinor = await worthOf(tx, order.orderId, units)
  const claim = status === 'returned' || parcel.carrier === ownFleet ? undefined : await intendClaim(tx, order.orderId, parcel, worthMinor)
  const lines = units.map(({ lineId, quantity }) => ({ lineId, quantity }))
  const { packageId, fulfillmentId } = parcel
  await record(tx, order, { type: 'shipment.undelivered', actor: self, data: { packageId, fulfillmentId, status, remedy: chosen, goods, nodeId, lines } })
  const refunds = chosen === 'refund' ? await refundUnsent(tx, order, { purpose: `undelivered:${packageId}`, paid: lines, cause: { packageId } }) : []
  if (chosen === 'refund') refunds.push(...(await giveBackUnsent(tx, order, { units: lines, purpose: `undelivered:${packageId}` })))
  return { packageId, remedy: chosen, refunds, ...(claim && { claim }) }
}

/** By when somebody must have answered the customer. */
export const deadlineOf = (policy: ParcelPolicy | undefined): string => new Date(Date.now() + durationMs((policy ?? defaultPolicies.parcels).answerWithin)).toISOString()

/** The units of a parcel, the first time they are asked for. */
async function takeUnits(tx: Transaction, packageId: string, status: Undelivered): Promise<Ended[] | undefined> {
  const first = await row(tx, 'UPDATE packages SET undelivered = ? WHERE package_id = ? AND undelivered IS NULL RETURNING 1', [status, packageId])
  if (!first) return undefined
  return rows<Ended>(
    tx,
    `SELECT l."lineId", ol.sku, f.node_id AS "nodeId", l.quantity FROM packages p JOIN fulfillments f USING (fulfillment_id), jsonb_to_recordset(p.lines) AS l("lineId" text, quantity int)
       JOIN order_lines ol ON ol.line_id = l."lineId" WHERE p.package_id = ? AND ol.order_id = f.order_id ORDER BY ol.position`,
    [packageId],
  )
}

/** What the customer paid for the units, shipping left out; each line's discount is shared over its units. */
export async function worthOf(tx: Transaction, orderId: string, units: readonly { lineId: string; quantity: number }[]): Promise<number> {
  const worth = await row<{ worthMinor: number }>(
    tx,
    `SELECT coalesce(sum(round((l.unit_price_minor * l.quantity - l.discount_minor)::numeric * u.quantity / l.quantity)), 0)::bigint AS "worthMinor"
     FROM order_lines l JOIN jsonb_to_recordset(?::jsonb) AS u("lineId" text, quantity int) ON u."lineId" = l.line_id WHERE l.order_id = ?`,
    [JSON.stringify(units), orderId],
  )
  return worth!.worthMinor
}

async function intendClaim(tx: Transaction, orderId: string, { fulfillmentId, packageId, carrier }: TrackedPackage, worthMinor: number): Promise<string> {
  const operationId = uuidv7()
  await run(tx, `INSERT INTO carrier_operations (operation_id, order_id, fulfillment_id, package_id, kind, carrier, amount_minor) VALUES (?, ?, ?, ?, 'claim', ?, ?)`, [
    operationId, orderId, fulfillmentId, packageId, carrier, worthMinor,
  ])
  return operationId
}

/**
 * What is leaving now of what was paid already: units sent again for such that never arrived. They are taken from the order's lines, so that
 * each is sent again once, and no money is taken for them.
 */
export async function markResent(tx: Transaction, fulfillmentId: string): Promise<void> {
  await run(
    tx,
    `WITH again AS (UPDATE fulfillment_lines fl SET resent = least(fl.picked, l.resend) FROM fulfillments f, order_lines l
                    WHERE fl.fulfillment_id = ? AND f.fulfillment_id = fl.fulfillment_id AND l.order_id = f.order_id AND l.line_id = fl.line_id AND l.resend > 0
                    RETURNING f.order_id, fl.line_id, fl.resent)
     UPDATE order_lines l SET resend = l.resend - again.resent FROM again WHERE l.order_id = again.order_id AND l.line_id = again.line_id`,
    [fulfillmentId],
  )
}
