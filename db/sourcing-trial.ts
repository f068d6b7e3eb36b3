/** What a policy would decide, without doing it: for an order that is there, or one that is only thought of. */
import { factsOfChannel } from './channel-policies'
import { policyDocument } from './policies'
import type { Position } from '../domain/delivery/distance'
import { sourcingFor } from '../domain/policy/channel-rules'
import type { SourcingPolicy } from '../domain/policy/sourcing'
import { refuse } from '../domain/refusals'
import type { SourcingDecision } from '../domain/sourcing/decision'
import { row, type Db, type Transaction } from './connection'
import { plan, type Plan } from './sourcing'

export type Trial = Omit<Plan, 'policy' | 'excluded'>

/**
 * Decides on the stock and the channel as they are now. Nothing is locked or written.
 * @param version of the sourcing policy; absent: the one in force.
 * @throws `policy.unknown`
 */
export async function trySourcing(db: Db, trial: Trial, version?: number): Promise<SourcingDecision & { policyVersion: number }> {
  const policy = await policyDocument(db, 'sourcing', version)
  const facts = await factsOfChannel(db, trial.channel)
  const own = facts ? sourcingFor(policy.document as SourcingPolicy, facts) : (policy.document as SourcingPolicy)
  const decision = await db.transaction((tx) => plan(tx, { ...trial, excluded: [], policy: own }, 'hopeful'), { readOnly: true })
  return { ...decision, policyVersion: policy.version }
}

/** An order's lines as if none of them had been claimed or shipped yet. @throws `order.unknown` */
export async function trialOf(db: Db | Transaction, orderId: string): Promise<Trial> {
  const found = await row<Omit<Trial, 'destination' | 'country' | 'asIfFree' | 'method' | 'nodeId'> & { country: string | null; destination: Position | null; delivery: { method: string; nodeId?: string } }>(
    db,
    `SELECT channel, delivery, ship_to->>'country' AS country,
       CASE WHEN ship_to->>'latitude' IS NOT NULL AND ship_to->>'longitude' IS NOT NULL
            THEN json_build_object('latitude', (ship_to->>'latitude')::float8, 'longitude', (ship_to->>'longitude')::float8) END AS destination,
       (SELECT json_agg(json_build_object('lineId', line_id, 'sku', sku, 'quantity', quantity, 'valueMinor', unit_price_minor) ORDER BY position) FROM order_lines l WHERE l.order_id = o.order_id) AS lines
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  if (!found) throw refuse('order.unknown')
  const { delivery, country, destination, ...rest } = found
  return { ...rest, method: delivery.method, nodeId: delivery.nodeId, country: country ?? undefined, destination: destination ?? undefined, asIfFree: orderId }
}
