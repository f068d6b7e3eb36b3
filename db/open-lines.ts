/** What an order still needs a node for, and what sourcing has to know to find one: asked by the step that claims, and by whoever only wants to know whether it could. */
import { ownDriver } from '../domain/delivery/own-fleet'
import { isGathered } from '../domain/fulfillment/moves'
import type { Position } from '../domain/delivery/distance'
import type { Policies } from '../domain/policy/kinds'
import type { OrderPromise } from '../domain/promise/kept'
import type { OpenLine, PlannedShipment } from '../domain/sourcing/decision'
import { row, rows, type Transaction } from './connection'
import type { OrderRow } from './orders'
import type { Plan } from './sourcing'

export interface LineInNeed extends OpenLine {
  valueMinor: number
}

export const openLines = (tx: Transaction, orderId: string): Promise<LineInNeed[]> =>
  rows(
    tx,
    `SELECT line_id AS "lineId", sku, quantity - cancelled - shipped - allocated AS quantity, unit_price_minor AS "valueMinor" FROM order_lines
     WHERE order_id = ? AND quantity > cancelled + shipped + allocated ORDER BY position`,
    [orderId],
  )

/** @param after what is known of dates; without it no plan is held against what was promised. */
export async function planOfOpen(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[], after?: AfterSale): Promise<Plan> {
  const before = await row<Pick<Plan, 'excluded' | 'shipmentsBefore'> & { country: string | null; destination: Position | null; postalCode: string; promisedBy: string | null }>(tx, beforeSql, {
    orderId: order.orderId,
    lines: lines.map((l) => l.lineId),
  })
  const { country, destination, excluded, shipmentsBefore, postalCode, promisedBy } = before!
  const units = lines.reduce((sum, l) => sum + l.quantity, 0)
  const { service } = order.delivery
  // The node that the customer's option was quoted from is the first to be asked, and not the only one.
  const asked = excluded.length > 0 || (shipmentsBefore ?? 0) > 0
  const from = comingFrom(order.delivery)
  const now = Date.now()
  const daysLate = after && promisedBy !== null && country !== null ? (nodeId: string): number | undefined => after.daysLate({ nodeId, units, promisedBy, destination: { country, postalCode }, ...(service !== undefined && { service }) }, now) : undefined
  return { channel: order.channel, lines, ...from, ...(asked && { quotedFrom: undefined }), destination: destination ?? undefined, country: country ?? undefined, excluded, shipmentsBefore, policy: order.policy.sourcing, ...(daysLate && { daysLate }) }
}

/** From which nodes the goods may come, and how they leave them: what is gathered at a store is sent there, unless the store has it itself. */
export const comingFrom = ({ method, nodeId, service }: OrderRow['delivery']): Pick<Plan, 'method' | 'nodeId' | 'quotedFrom' | 'ownDrivers'> =>
  isGathered(method) ? { method: 'delivery' } : { method, ...(nodeId !== undefined && (method === 'delivery' ? { quotedFrom: nodeId } : { nodeId })), ...(service === ownDriver && { ownDrivers: true }) }

/** Dates after the sale, from memory: asked for before the transaction, so that nobody asks for another connection inside of it. */
export interface AfterSale {
  promise(ask: { method: string; nodeId?: string; service?: string; destination?: { country: string; postalCode: string }; shipments: readonly PlannedShipment[]; policies: Pick<Policies, 'promise' | 'sourcing'> }, now: number): OrderPromise | undefined
  daysLate(ask: { nodeId: string; units: number; service?: string; promisedBy: string; destination: { country: string; postalCode: string } }, now: number): number | undefined
}

/** Where it goes, which nodes have rejected some of these lines, and how many shipments are under way. */
const beforeSql = `
  SELECT coalesce(n.country, ship_to->>'country') AS country, coalesce(ship_to->>'postalCode', '') AS "postalCode", o.promise->>'promisedBy' AS "promisedBy",
    CASE WHEN n.node_id IS NOT NULL THEN json_build_object('latitude', n.latitude, 'longitude', n.longitude)
         WHEN ship_to->>'latitude' IS NOT NULL AND ship_to->>'longitude' IS NOT NULL
         THEN json_build_object('latitude', (ship_to->>'latitude')::float8, 'longitude', (ship_to->>'longitude')::float8) END AS destination,
    ARRAY(SELECT DISTINCT f.node_id FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id)
          WHERE f.order_id = o.order_id AND l.line_id = ANY(:lines) AND (l.rejected > 0 OR f.status = 'rejected')) AS excluded,
    (SELECT count(*)::int FROM fulfillments f WHERE f.order_id = o.order_id AND f.status NOT IN ('rejected', 'cancelled', 'expired')) AS "shipmentsBefore"
  FROM orders o LEFT JOIN nodes n ON o.delivery->>'method' <> 'delivery' AND n.node_id = o.delivery->>'nodeId' WHERE order_id = :orderId`
