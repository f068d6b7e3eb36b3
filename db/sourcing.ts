/** Finds the node for an order and claims the stock there: the plan is made on what can be read, the claim is guarded, and a lost race plans again on locked levels. */
import type { Position } from '../domain/delivery/distance'
import { sourceSimply, type Candidate, type OpenLine, type SourcingDecision } from '../domain/sourcing/simple'
import type { SourcingPolicy } from '../domain/policy/kinds'
import { row, rows, run, type Db, type Transaction } from './connection'
import { allocate, availableSql } from './stock'

export interface PlanAndClaim {
  orderId: string
  lines: readonly OpenLine[]
  method: string
  nodeId?: string
  destination?: Position
  excluded: readonly string[]
  policy: Pick<SourcingPolicy, 'rules'>
  actor: string
}

/** Decides and, when a node was chosen, holds its stock for the order. A decision without `chosen` means that no node has it all, seen on locked levels. */
export async function planAndClaim(tx: Transaction, ask: PlanAndClaim): Promise<SourcingDecision> {
  const planned = decide(ask, await candidates(tx, ask))
  if (!planned.chosen) return planned
  if (await claimed(tx, ask, planned.chosen.nodeId)) return planned
  const again = decide(ask, await candidates(tx, ask, 'locked'))
  if (again.chosen) await allocate(tx, { ...ask, nodeId: again.chosen.nodeId })
  return again
}

const decide = (ask: PlanAndClaim, nodes: readonly Candidate[]): SourcingDecision => sourceSimply(ask, nodes, ask.policy)

/** Takes the planned stock in a savepoint: a lost race must not keep the locks it has, or two losers wait for each other while they plan again. */
async function claimed(tx: Transaction, ask: PlanAndClaim, nodeId: string): Promise<boolean> {
  await tx.raw('SAVEPOINT claim')
  if (await allocate(tx, { ...ask, nodeId })) {
    await tx.raw('RELEASE SAVEPOINT claim')
    return true
  }
  await tx.raw('ROLLBACK TO SAVEPOINT claim')
  return false
}

/** Every node with what it could give. `locked` takes the levels in (sku, node) order first, so nobody changes them until the end of the transaction. */
async function candidates(tx: Transaction, ask: PlanAndClaim, mode?: 'locked'): Promise<Candidate[]> {
  const skus = [...new Set(ask.lines.map((l) => l.sku))]
  if (mode) await run(tx, 'SELECT 1 FROM stock_levels WHERE sku = ANY(?) ORDER BY sku, node_id FOR UPDATE', [skus])
  const found = await rows<Omit<Candidate, 'position'> & Position>(
    tx,
    `SELECT n.node_id AS "nodeId", n.type, n.latitude, n.longitude, n.active, n.methods,
       (SELECT coalesce(jsonb_object_agg(sku, ${availableSql}), '{}') FROM stock_levels l WHERE l.node_id = n.node_id AND l.sku = ANY(?)) AS available
     FROM nodes n ${ask.nodeId ? 'WHERE n.node_id = ?' : ''}`,
    [skus, ...(ask.nodeId ? [ask.nodeId] : [])],
  )
  return found.map(({ latitude, longitude, ...node }) => ({ ...node, position: { latitude, longitude } }))
}

/** Keeps a decision with its order: chosen node, every other one and why it lost. */
export async function keepDecision(tx: Transaction, orderId: string, decision: SourcingDecision, policyVersion: number): Promise<void> {
  await run(tx, 
    `INSERT INTO sourcing_decisions (order_id, number, decision)
     VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM sourcing_decisions WHERE order_id = ?), ?::jsonb)`,
    [orderId, orderId, JSON.stringify({ ...decision, mode: 'simple', policyVersion })],
  )
}

export const lastDecision = async (db: Db | Transaction, orderId: string): Promise<SourcingDecision | undefined> =>
  (await row<{ decision: SourcingDecision }>(db, 'SELECT decision FROM sourcing_decisions WHERE order_id = ? ORDER BY number DESC LIMIT 1', [orderId]))?.decision
