/** Finds the nodes for an order and claims the stock there: the plan is made on what can be read, the claim is guarded, and a lost race plans again on locked levels. */
import type { Position } from '../domain/delivery/distance'
import type { Candidate, OpenLine, SourcingDecision } from '../domain/sourcing/decision'
import { openCalendar, type CalendarSettings } from '../domain/promise/calendar'
import { isObstacle } from '../domain/promise/obstacle'
import { nextOpening } from '../domain/promise/working-time'
import { whyBarred, type GoodsRules, type NodePermits } from '../domain/sourcing/goods-under-rules'
import { source, type SourcingRules } from '../domain/sourcing/source'
import { row, rows, run, type Db, type Transaction } from './connection'
import { LostRace, type PlanMode } from './race'
import { expireDue, hasDue } from './reservations'
import { allocate, availableToSellSql, type StockClaim } from './stock'

export interface Plan {
  /** Who sells: what it may promise of a shelf is its own. */
  channel: string
  lines: readonly (OpenLine & { valueMinor: number })[]
  method: string
  nodeId?: string
  /** Only nodes from which own drivers start. */
  ownDrivers?: boolean
  /** The option chosen was quoted from there: no other node has it. */
  quotedFrom?: string
  destination?: Position
  country?: string
  excluded: readonly string[]
  shipmentsBefore?: number
  /** An order whose own claims count as free: to see where it would come from now. */
  asIfFree?: string
  /** By how many days a shipment from a node is expected to miss what was promised. */
  daysLate?: (nodeId: string) => number | undefined
  policy: SourcingRules
}

/** Chooses the nodes. A decision without `chosen` means that no plan the policy allows has it all. */
export const plan = async (tx: Transaction, ask: Plan, mode: PlanMode): Promise<SourcingDecision> => planOn(tx, ask, await candidates(tx, ask, mode))

/** The same, on what somebody else says the nodes have. */
export async function planOn(tx: Transaction, ask: Plan, nodes: readonly Candidate[]): Promise<SourcingDecision> {
  const weights = ask.policy.mode === 'cost' ? await weightsOf(tx, ask.lines) : undefined
  return source({ ...ask, lines: ask.lines.map((l) => ({ ...l, weightGrams: weights?.get(l.sku) ?? 1 })) }, nodes, ask.policy)
}

/** The same for a claim: a shortage that is only due to expired holds is no shortage. @throws LostRace in hopeful mode, to be planned again without them. */
export async function planClaim(tx: Transaction, ask: Plan, mode: PlanMode): Promise<SourcingDecision> {
  const decision = await plan(tx, ask, mode)
  if (!decision.chosen && mode === 'hopeful' && (await hasDue(tx, ask.lines.map((l) => l.sku)))) throw new LostRace('what is short is held by what has expired')
  return decision
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
export async function candidates(tx: Transaction, ask: Plan, mode: PlanMode): Promise<Candidate[]> {
  const skus = [...new Set(ask.lines.map((l) => l.sku))]
  if (mode === 'locked') await expireDue(tx, mostExpired, skus) // nobody is refused for units that only an expired hold keeps
  const found = await rows<CandidateRow>(tx, candidatesSql, { skus, channel: ask.channel, nodeId: ask.nodeId ?? null, orderId: ask.asIfFree ?? null })
  const closed = ask.policy.fences.openWithin === undefined ? undefined : await closedFor(tx)
  return found.map(({ latitude, longitude, limit, taken, underRules, handlesHazardous, exportsTo, ...node }): Candidate => {
    const closedForMs = closed?.get(node.nodeId)
    const daysLate = asksForLateness(ask.policy) ? ask.daysLate?.(node.nodeId) : undefined
    const barred = underRules && barredAt({ handlesHazardous, exportsTo, country: node.country }, underRules, ask.country)
    return { ...node, position: { latitude, longitude }, ...(limit !== null && { work: { limit, taken: taken! } }), ...(barred && { barred }), ...(closedForMs !== undefined && { closedForMs }), ...(daysLate !== undefined && { daysLate }) }
  })
}

const asksForLateness = ({ mode, costs }: SourcingRules): boolean => mode === 'cost' && (costs?.latenessMinor ?? 0) > 0

const barredAt = (node: NodePermits, goods: readonly (GoodsRules & { sku: string })[], country: string | undefined): Record<string, string> =>
  Object.fromEntries(goods.flatMap(({ sku, ...rules }) => [whyBarred(rules, node, country)].flatMap((why) => (why === undefined ? [] : [[sku, why] as const]))))

/** How long every node is still closed, in milliseconds; one without a calendar is always open. */
async function closedFor(tx: Transaction): Promise<Map<string, number>> {
  const now = Date.now()
  const nodes = await rows<Pick<CalendarSettings, 'timeZone' | 'weekly' | 'specialDays'> & { nodeId: string }>(tx, 'SELECT node_id AS "nodeId", time_zone AS "timeZone", calendar AS weekly, special_days AS "specialDays" FROM nodes', [])
  return new Map(
    nodes.flatMap(({ nodeId, ...settings }) => {
      const calendar = openCalendar({ ...settings, cutoffs: {}, pickups: {} })
      return isObstacle(calendar) ? [] : [[nodeId, Math.max(0, (nextOpening(calendar, now) ?? Number.MAX_SAFE_INTEGER) - now)] as const]
    }),
  )
}

/** Holds ended on the way, at most; the sweep ends the rest. */
const mostExpired = 1_000

type CandidateRow = Omit<Candidate, 'position' | 'work' | 'barred' | 'closedForMs'> & Position & { limit: number | null; taken: number | null; underRules: (GoodsRules & { sku: string })[] | null } & Omit<NodePermits, 'country'>

const candidatesSql = `
  WITH ruled AS MATERIALIZED (SELECT json_agg(json_build_object('sku', sku, 'hazardous', hazardous, 'exportControlled', export_controlled)) AS goods FROM skus WHERE sku = ANY(:skus) AND (hazardous OR export_controlled))
  SELECT n.node_id AS "nodeId", n.type, n.country, n.latitude, n.longitude, n.active, n.methods, EXISTS (SELECT 1 FROM drivers d WHERE n.node_id = ANY(d.home_nodes)) AS "ownDrivers", (SELECT goods FROM ruled) AS "underRules", n.handles_hazardous AS "handlesHazardous", n.exports_to AS "exportsTo", (n.capacity->>'ordersPerDay')::int AS "limit",
    CASE WHEN n.capacity->>'ordersPerDay' IS NOT NULL THEN
      (SELECT count(*)::int FROM fulfillments f WHERE f.node_id = n.node_id AND f.status NOT IN ('rejected', 'cancelled')
       AND f.released_at >= date_trunc('day', now() AT TIME ZONE n.time_zone) AT TIME ZONE n.time_zone) END AS taken,
    coalesce(jsonb_object_agg(l.sku, ${availableToSellSql}) FILTER (WHERE l.sku IS NOT NULL), '{}') AS available,
    coalesce(jsonb_object_agg(l.sku, l.trust) FILTER (WHERE l.trust < 1), '{}') AS trust
  FROM channels c CROSS JOIN nodes n
  LEFT JOIN LATERAL (SELECT sku, on_hand, unsellable, reserved, safety_stock, trust, CASE WHEN :orderId::uuid IS NULL THEN allocated ELSE allocated - coalesce(
      (SELECT sum(quantity)::int FROM allocations a WHERE a.order_id = :orderId::uuid AND a.status = 'open' AND a.sku = s.sku AND a.node_id = s.node_id), 0) END AS allocated
    FROM stock_levels s WHERE s.node_id = n.node_id AND s.sku = ANY(:skus)) l ON true
  WHERE c.channel_id = :channel AND (:nodeId::text IS NULL OR n.node_id = :nodeId) GROUP BY c.channel_id, n.node_id`

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
