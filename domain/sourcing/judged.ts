/** Fences first: what keeps a node out whatever is preferred, and what it could give. */
import { distanceMeters } from '../delivery/distance'
import { durationMs } from '../policy/duration'
import type { SourcingPolicy } from '../policy/sourcing'
import { wantedPerSku, type Candidate, type Shortage, type SourcingAsk } from './decision'

export interface Judged {
  node: Candidate
  distanceMeters?: number
  /** Units it could give, per wanted SKU. */
  stock: ReadonlyMap<string, number>
  missing: readonly Shortage[]
  /** The fence it failed. */
  fence?: string
}

/** Every node with its fence, by node id: the same in whatever order they come. */
export function judge(ask: SourcingAsk, nodes: readonly Candidate[], policy: Pick<SourcingPolicy, 'fences' | 'mode' | 'costs'>): Judged[] {
  const wanted = wantedPerSku(ask.lines)
  return nodes.map((node) => judgeNode(node, ask, wanted, policy)).sort((a, b) => compareText(a.node.nodeId, b.node.nodeId))
}

function judgeNode(node: Candidate, ask: SourcingAsk, wanted: ReadonlyMap<string, number>, policy: Pick<SourcingPolicy, 'fences' | 'mode' | 'costs'>): Judged {
  const distance = ask.destination && distanceMeters(ask.destination, node.position)
  const trusted = (sku: string): boolean => (node.trust?.[sku] ?? 1) >= policy.fences.leastTrust
  const stock = new Map([...wanted.keys()].map((sku) => [sku, trusted(sku) && node.barred?.[sku] === undefined ? (node.available[sku] ?? 0) : 0]))
  const missing = [...wanted]
    .map(([sku, quantity]) => ({ sku, wanted: quantity, available: stock.get(sku)!, ...(node.barred?.[sku] !== undefined && { why: node.barred[sku] }) }))
    .filter((m) => m.available < m.wanted)
  const fence = fenceOf(node, ask, policy, distance)
  return { node, stock, missing, ...(distance === undefined ? {} : { distanceMeters: distance }), ...(fence === undefined ? {} : { fence }) }
}

function fenceOf(node: Candidate, ask: SourcingAsk, { fences, mode, costs }: Pick<SourcingPolicy, 'fences' | 'mode' | 'costs'>, distance = 0): string | undefined {
  if (!node.active) return 'not active'
  if (ask.excluded.includes(node.nodeId)) return 'rejected this order before'
  if (!node.methods.includes(ask.method)) return `does not offer ${ask.method}`
  if (ask.ownDrivers && !node.ownDrivers) return 'no own drivers start from here'
  const barred = [...wantedPerSku(ask.lines).keys()].map((sku) => node.barred?.[sku])
  if (barred.every((why) => why !== undefined)) return barred[0]
  if (fences.openWithin !== undefined && (node.closedForMs ?? 0) > durationMs(fences.openWithin)) return `closed for another ${Math.ceil(node.closedForMs! / 3_600_000)} h`
  if (fences.excludeNodes.includes(node.nodeId)) return 'excluded by the policy'
  if (fences.excludeTypes?.some((type) => type === node.type)) return `excluded by the policy, as every ${node.type}`
  if (fences.sameCountry && ask.country !== undefined && node.country !== ask.country) return `in ${node.country}: goods do not cross a border`
  if (fences.maxDistanceKm !== undefined && distance > fences.maxDistanceKm * 1000) return `${km(distance)} away, farther than ${fences.maxDistanceKm} km`
  if (node.work && node.work.taken >= node.work.limit) return `full: ${node.work.taken} of ${node.work.limit} orders today`
  if (mode === 'cost' && costs!.rateCard.every((zone) => distance > zone.upToKm * 1000)) return `${km(distance)} away, beyond the rate card`
  if (ask.quotedFrom !== undefined && ask.quotedFrom !== node.nodeId) return `the option chosen was quoted from ${ask.quotedFrom}`
  return undefined
}

export const km = (meters: number): string => `${(meters / 1000).toFixed(1)} km`

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
