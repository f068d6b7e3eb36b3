/** Finds the nodes for an order and claims the stock there: the plan is made on what can be read, the claim is guarded, and a lost race plans again on locked levels. */
import type { Position } from '../domain/delivery/distance'
import type { Candidate, OpenLine, SourcingDecision } from '../domain/sourcing/decision'
import { source, type SourcingRules } from '../domain/sourcing/source'
import { row, rows, run, type Db, type Transaction } from './connection'
import { allocate, availableToSellSql, type StockClaim } from './stock'

export interface Plan {
  /** Who sells: what it may promise of a shelf is its own. */
  channel: string
  lines: readonly (OpenLine & { valueMinor: number })[]
  method: string
  nodeId?: string
  destination?: Position
  country?: string
  excluded: readonly string[]
  shipmentsBefore?: number
  policy: SourcingRules
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

/** Chooses the nodes. A decision without `chosen` means that no plan the policy allows has it all. */
export async function plan(tx: Transaction, ask: Plan, mode: PlanMode): Promise<SourcingDecision> {
  const nodes = await candidates(tx, ask, mode)
  const weights = ask.policy.mode === 'cost' ? await weightsOf(tx, ask.lines) : undefined
  return source({ ...ask, lines: ask.lines.map((l) => ({ ...l, weightGrams: weights?.get(l.sku) ?? 1 })) }, nodes, ask.policy)
}

async function weightsOf(tx: Transaction, lines: readonly OpenLine[]): Promise<Map<string, number>> {
  const found = await rows<{ sku: string; weightGrams: number }>(tx, 'SELECT sku, weight_grams AS "weightGrams" FROM skus WHERE sku = ANY(?)', [lines.map((l) => l.sku)])
  return new Map(found.map((s) => [s.sku, s.weightGrams]))
}

/** Holds the stock of the chosen nodes for the order. @throws LostRace */
export async function claimPlanned(tx: Transaction, claim: StockClaim): Promise<void> {
  if (!(await allocate(tx, claim))) throw new LostRace('a shelf no longer has what was planned')
}

/** Every node with what it could give. `locked` takes the levels in (sku, node) order first, so nobody changes them until the end of the transaction. */
async function candidates(tx: Transaction, ask: Plan, mode: PlanMode): Promise<Candidate[]> {
  const skus = [...new Set(ask.lines.map((l) => l.sku))]
  if (mode === 'locked') await run(tx, 'SELECT 1 FROM stock_levels WHERE sku = ANY(?) ORDER BY sku, node_id FOR UPDATE', [skus])
  const found = await rows<Omit<Candidate, 'position'> & Position>(
    tx,
    `SELECT n.node_id AS "nodeId", n.type, n.country, n.latitude, n.longitude, n.active, n.methods,
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
export const keptDecision = (decision: SourcingDecision, policyVersion: number): object => ({ ...decision, policyVersion })

export const lastDecision = async (db: Db | Transaction, orderId: string): Promise<SourcingDecision | undefined> =>
  (await row<{ decision: SourcingDecision }>(db, 'SELECT decision FROM sourcing_decisions WHERE order_id = ? ORDER BY number DESC LIMIT 1', [orderId]))?.decision
