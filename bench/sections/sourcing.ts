/** One sourcing decision, warm and alone: orders and networks of all kinds, shelves often too short, up to four shipments. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingCosts } from '../../domain/policy/sourcing'
import type { Candidate, SourcingAsk } from '../../domain/sourcing/decision'
import { source } from '../../domain/sourcing/source'
import { percentile } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

export const costs: SourcingCosts = {
  rateCard: [100, 300, 600, 1_500].map((upToKm, zone) => ({
    upToKm,
    tiers: [1_000, 2_000, 5_000, 10_000, 31_500].map((upToGrams, step) => ({ upToGrams, priceMinor: 350 + 60 * zone + [0, 80, 210, 480, 1_150][step]! })),
  })),
  handlingMinor: 60, pickWarehouseMinor: 35, pickStoreMinor: 85, splitMinor: 120, capacityMinor: 200, stockOutMinor: 240, markdownMinor: 30, markdownAbove: 3, latenessMinor: 0,
}
const cases = [
  { lines: 5, nodes: 50, splitLines: true, reachMs: 2 },
  { lines: 10, nodes: 200, splitLines: true, reachMs: 100 },
  { lines: 10, nodes: 200, splitLines: false, reachMs: 20 },
]

export function sourcing(_site: Site, quick: boolean): Promise<Figure[]> {
  return Promise.resolve(cases.map((one) => measure(one, quick ? 60 : 600)))
}

function measure({ lines, nodes, splitLines, reachMs }: (typeof cases)[number], count: number): Figure {
  const policy = { ...defaultPolicies.sourcing, mode: 'cost' as const, costs, maxShipments: 4, splitLines }
  const problems = Array.from({ length: count }, (_, i) => problem(i + 1, lines, nodes))
  for (const { ask, candidates } of problems.slice(0, count / 4)) source(ask, candidates, policy)
  let split = 0
  let open = 0
  const took = problems.map(({ ask, candidates }) => {
    const startedAt = performance.now()
    const { chosen } = source(ask, candidates, policy)
    if (chosen && chosen.shipments.length > 1) split += 1
    if (chosen && chosen.atLeastMinor! < chosen.costMinor!) open += 1
    return performance.now() - startedAt
  })
  const p95 = percentile(took, 0.95)
  const what = `a decision on ${lines} lines × ${nodes} nodes, ${splitLines ? 'lines may be divided' : 'whole lines'}`
  const measured = `p50 ${percentile(took, 0.5).toFixed(2)} ms, p95 ${p95.toFixed(2)} ms; ${Math.round((100 * split) / count)} % split, ${open} not proved best`
  return { section: 'sourcing', what, reach: `p95 ≤ ${reachMs} ms`, measured, ok: p95 <= reachMs }
}

/** The same every time, from `seed` (a linear congruential generator; Numerical Recipes, 2nd ed., ch. 7.1). */
function problem(seed: number, lines: number, nodes: number): { ask: SourcingAsk; candidates: Candidate[] } {
  let state = seed * 2_654_435_761
  const roll = (below: number): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return Math.floor((state / 4_294_967_296) * below)
  }
  const place = (): { latitude: number; longitude: number } => ({ latitude: 47.5 + roll(70) / 10, longitude: 6.5 + roll(80) / 10 })
  const scarcity = 2 + roll(4)
  return {
    ask: {
      lines: Array.from({ length: lines }, (_, i) => ({ lineId: String(i), sku: `S${i}`, quantity: roll(5) === 0 ? 2 + roll(2) : 1, weightGrams: 100 + roll(4_000), valueMinor: 500 + roll(9_000) })),
      method: 'delivery', destination: place(), country: 'DE', excluded: [],
    },
    candidates: Array.from({ length: nodes }, (_, n) => ({
      nodeId: `node-${n}`, type: n % 10 === 0 ? 'warehouse' : 'store', position: place(), country: 'DE', active: true, methods: ['delivery'],
      available: Object.fromEntries(Array.from({ length: lines }, (__, i) => [`S${i}`, roll(scarcity) === 0 ? 1 + roll(5) : 0])),
      work: { limit: 50, taken: roll(50) },
    })),
  }
}
