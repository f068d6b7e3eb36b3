/** Finds the node for an order and claims the stock there: the plan is made on what can be read, the claim is guarded, and a lost race plans again on locked levels. */
import type { Position } from '../domain/delivery/distance'
import { sourceSimply, type Candidate, type OpenLine, type SourcingDecision } from '../domain/sourcing/simple'
import type { SourcingPolicy } from '../domain/policy/kinds'
import { row, rows, run, type Db, type Transaction } from './connection'
import { allocate, availableToSellSql, type StockClaim } from './stock'

export interface Plan {
  /** Who sells: what it may promise of a shelf is its own. */
  channel: string
  lines: readonly OpenLine[]
  method: string
  nodeId?: string
  destination?: Position
  excluded: readonly string[]
  policy: Pick<SourcingPolicy, 'rules'>
}

/** `hopeful`: planned on what can be read. `locked`: the levels are locked first, so what is planned can be had. */
export type PlanMode = 'hopeful' | 'locked'

/** Somebody else took what was planned. Thrown to the edge of the transaction, which lets go of every lock before it is tried again in `locked` mode. */
export class LostRace extends Error {
  override name = 'LostRace'
}

/** Runs a transaction hopefully, and once more with the levels locked if it lost a race. */
export async function hopefully<Result>(transaction: (mode: PlanMode) => Promise<Result>): Promise<Result> {
  try {
    return await transaction('hopeful')
  } catch (cause) {
    if (!(cause instanceof LostRace)) throw cause
    return transaction('locked')
  }
}

/** Chooses the node. A decision without `chosen` means that no node has it all. */
export const plan = async (tx: Transaction, ask: Plan, mode: PlanMode): Promise<SourcingDecision> => sourceSimply(ask, await candidates(tx, ask, mode), ask.policy)

/** Holds the stock of the chosen node for the order. @throws LostRace */
export async function claimPlanned(tx: Transaction, claim: StockClaim): Promise<void> {
  if (!(await allocate(tx, claim))) throw new LostRace(`${claim.nodeId} no longer has it all`)
}

/** Every node with what it could give. `locked` takes the levels in (sku, node) order first, so nobody changes them until the end of the transaction. */
async function candidates(tx: Transaction, ask: Plan, mode: PlanMode): Promise<Candidate[]> {
  const skus = [...new Set(ask.lines.map((l) => l.sku))]
  if (mode === 'locked') await run(tx, 'SELECT 1 FROM stock_levels WHERE sku = ANY(?) ORDER BY sku, node_id FOR UPDATE', [skus])
  const found = await rows<Omit<Candidate, 'position'> & Position>(
    tx,
    `SELECT n.node_id AS "nodeId", n.type, n.latitude, n.longitude, n.active, n.methods,
       (SELECT coalesce(jsonb_object_agg(sku, ${availableToSellSql}), '{}') FROM stock_levels l WHERE l.node_id = n.node_id AND l.sku = ANY(?)) AS available
     FROM channels c CROSS JOIN nodes n WHERE c.channel_id = ? ${ask.nodeId ? 'AND n.node_id = ?' : ''}`,
    [skus, ask.channel, ...(ask.nodeId ? [ask.nodeId] : [])],
  )
  return found.map(({ latitude, longitude, ...node }) => ({ ...node, position: { latitude, longitude } }))
}

/** Keeps a decision with its order: chosen node, every other one and why it lost. */
export async function keepDecision(tx: Transaction, orderId: string, decision: SourcingDecision, policyVersion: number): Promise<void> {
  await run(
    tx,
    `INSERT INTO sourcing_decisions (order_id, number, decision)
     VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM sourcing_decisions WHERE order_id = ?), ?::jsonb)`,
    [orderId, orderId, JSON.stringify(keptDecision(decision, policyVersion))],
  )
}

/** A decision as it is stored and shown. */
export const keptDecision = (decision: SourcingDecision, policyVersion: number): object => ({ ...decision, mode: 'simple', policyVersion })

export const lastDecision = async (db: Db | Transaction, orderId: string): Promise<SourcingDecision | undefined> =>
  (await row<{ decision: SourcingDecision }>(db, 'SELECT decision FROM sourcing_decisions WHERE order_id = ? ORDER BY number DESC LIMIT 1', [orderId]))?.decision
