/** A back-test as the policy lab runs it, alone: a year of a mid-sized shop, replayed against a draft by costs and against ranked rules, and compared. */
import { defaultPolicies } from '../../domain/policy/kinds'
import { backTest } from '../../domain/sourcing/back-test'
import { seeded } from '../../domain/seeded'
import { learnDeliveryDays } from '../../domain/sourcing/delivery-days'
import type { Period, ReplayedNode, ReplayedOrder } from '../../domain/sourcing/replay'
import type { StockChange } from '../../domain/sourcing/shelves'
import type { Figure } from '../report'
import type { Site } from '../site'
import { costs } from './sourcing'

const skus = 2_000
const dayMs = 86_400_000
const days = 365
const begin = Date.UTC(2025, 0, 1)

export function backTests(_site: Site, quick: boolean): Promise<Figure[]> {
  const orders = quick ? 2_000 : 100_000
  const nodes = 20
  const period = aYear(orders, nodes)
  const startedAt = performance.now()
  const draft = { ...defaultPolicies.sourcing, mode: 'cost' as const, costs, maxShipments: 3 }
  const result = backTest(period, { draft, against: { ...defaultPolicies.sourcing, maxShipments: 2 }, random: seeded(1) })
  const seconds = (performance.now() - startedAt) / 1000
  const { filledShare, costPerOrderMinor } = result.measures
  const share = (part: number): string => `${(100 * part).toFixed(1)} %`
  const cost = costPerOrderMinor!
  const measured = `${seconds.toFixed(1)} s; draft fills ${share(filledShare!.draft)}, rules ${share(filledShare!.against)}; costs per order ${(cost.difference / 100).toFixed(2)} (${(cost.low / 100).toFixed(2)} to ${(cost.high / 100).toFixed(2)})`
  return Promise.resolve([{ section: 'back-test', what: `${orders} orders × ${nodes} nodes, two policies, with intervals`, reach: '≤ 120 s', measured, ok: seconds <= 120 }])
}

/** Orders of one to five lines, popular SKUs first, and receipts every week of about what is sold. */
function aYear(orderCount: number, nodeCount: number): Period {
  const random = seeded(7)
  const roll = (below: number): number => Math.floor(random() * below)
  const place = (): { latitude: number; longitude: number } => ({ latitude: 47.5 + roll(700) / 100, longitude: 6.5 + roll(800) / 100 })
  const nodes = Array.from({ length: nodeCount }, (_, n): ReplayedNode => ({
    nodeId: `node-${n}`, type: n % 10 === 0 ? 'warehouse' : 'store', position: place(), country: 'DE', active: true, methods: ['delivery'], timeZone: 'Europe/Berlin', ordersPerDay: 200,
  }))
  const popular = (): string => `S${Math.floor(skus * random() ** 3)}`
  const orders = Array.from({ length: orderCount }, (_, i): ReplayedOrder => {
    const placedAt = begin + Math.floor((i / orderCount) * days * dayMs)
    const chosen = [...new Set(Array.from({ length: 1 + Math.min(roll(5), roll(5)) }, popular))]
    return {
      orderId: `o${i}`, channel: 'web', placedAt, method: 'delivery', destination: place(), country: 'DE', promisedBy: placedAt + (2 + roll(3)) * dayMs,
      lines: chosen.map((sku, l) => ({ lineId: String(l + 1), sku, quantity: roll(8) === 0 ? 2 : 1, weightGrams: 100 + roll(3_000), valueMinor: 500 + roll(9_000) })),
    }
  })
  const stocked = nodes.flatMap(({ nodeId }) => Array.from({ length: skus }, (_, s) => ({ sku: `S${s}`, nodeId, units: roll(3) })))
  const changes = orders.flatMap((o) => o.lines.map((l): StockChange => ({ at: o.placedAt + roll(7) * dayMs, sku: l.sku, nodeId: `node-${roll(nodeCount)}`, units: l.quantity })))
  const parcels = Array.from({ length: 5_000 }, () => ({ nodeId: `node-${roll(nodeCount)}`, distanceMeters: roll(900_000), tookMs: (1 + roll(3)) * dayMs }))
  return { nodes, channels: { web: { channelId: 'web', kind: 'web', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags: [], limits: {}, returnTerms: null, stockBuffer: 0, stockThreshold: 0 } }, opening: stocked, changes, orders, deliveryDays: learnDeliveryDays(parcels) }
}
