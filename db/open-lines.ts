/** What an order still needs a node for, and what sourcing has to know to find one: asked by the step that claims, and by whoever only wants to know whether it could. */
import { ownDriver } from '../domain/delivery/own-fleet'
import { isGathered } from '../domain/fulfillment/moves'
import type { Position } from '../domain/delivery/distance'
import type { OpenLine } from '../domain/sourcing/decision'
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

export async function planOfOpen(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[]): Promise<Plan> {
  const before = await row<Pick<Plan, 'excluded' | 'shipmentsBefore'> & { country: string | null; destination: Position | null }>(tx, beforeSql, {
    orderId: order.orderId,
    lines: lines.map((l) => l.lineId),
  })
  const { country, destination, excluded, shipmentsBefore } = before!
  return { channel: order.channel, lines, ...comingFrom(order.delivery), destination: destination ?? undefined, country: country ?? undefined, excluded, shipmentsBefore, policy: order.policy.sourcing }
}

/** From which nodes the goods may come, and how they leave them: what is gathered at a store is sent there, unless the store has it itself. */
export const comingFrom = ({ method, nodeId, service }: OrderRow['delivery']): Pick<Plan, 'method' | 'nodeId' | 'ownDrivers'> =>
  isGathered(method) ? { method: 'delivery' } : { method, nodeId, ...(service === ownDriver && { ownDrivers: true }) }

/** Where it goes, which nodes have rejected some of these lines, and how many shipments are under way. */
const beforeSql = `
  SELECT coalesce(n.country, ship_to->>'country') AS country,
    CASE WHEN n.node_id IS NOT NULL THEN json_build_object('latitude', n.latitude, 'longitude', n.longitude)
         WHEN ship_to->>'latitude' IS NOT NULL AND ship_to->>'longitude' IS NOT NULL
         THEN json_build_object('latitude', (ship_to->>'latitude')::float8, 'longitude', (ship_to->>'longitude')::float8) END AS destination,
    ARRAY(SELECT DISTINCT f.node_id FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id)
          WHERE f.order_id = o.order_id AND l.line_id = ANY(:lines) AND (l.rejected > 0 OR f.status = 'rejected')) AS excluded,
    (SELECT count(*)::int FROM fulfillments f WHERE f.order_id = o.order_id AND f.status NOT IN ('rejected', 'cancelled', 'expired')) AS "shipmentsBefore"
  FROM orders o LEFT JOIN nodes n ON o.delivery->>'method' <> 'delivery' AND n.node_id = o.delivery->>'nodeId' WHERE order_id = :orderId`
