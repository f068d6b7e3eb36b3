/** Cost mode: a plan costs money, in named parts, and the cheapest wins. */
import type { RateZone, SourcingCosts } from '../policy/sourcing'
import type { LineToSource, Parts } from './decision'
import type { Judged } from './judged'
import type { Loaded, Objective, Rival } from './objective'
import { priceOf, type Tariff } from './tariff'

export function costObjective(costs: SourcingCosts): Objective {
  const ascending = zones(costs)
  // Beyond the last zone a fence keeps nodes out; a plan made by rules that look at no costs is priced by that zone.
  const zoneOf = (node: Judged): RateZone => ascending.find((z) => (node.distanceMeters ?? 0) <= z.upToKm * 1000) ?? ascending.at(-1)!
  const perShipment = (node: Judged): Parts => ({
    handling: costs.handlingMinor,
    capacity: node.node.work ? Math.round(costs.capacityMinor * (node.node.work.taken / node.node.work.limit) ** 2) : 0,
    lateness: Math.round(costs.latenessMinor * (node.node.daysLate ?? 0)),
  })
  const perUnit = (node: Judged, { sku }: LineToSource): Parts => {
    const available = node.stock.get(sku)!
    return {
      picking: node.node.type === 'warehouse' ? costs.pickWarehouseMinor : costs.pickStoreMinor,
      stock_out: Math.round(costs.stockOutMinor / Math.max(1, available)),
      markdown: available > costs.markdownAbove ? 0 : costs.markdownMinor,
    }
  }
  return {
    fixed: (node) => total(perShipment(node)),
    unit: (node, line) => total(perUnit(node, line)),
    tariff: (node) => zoneOf(node).tiers,
    splitPenalty: costs.splitMinor,
    splitParts: { split: costs.splitMinor },
    partsOf: (node, load) => {
      const units = load.map(({ line, units: count }) => Object.entries(perUnit(node, line)).map(([name, minor]): [string, number] => [name, minor * count]))
      const sum: Record<string, number> = { shipping: priceOf(zoneOf(node).tiers)(gramsOf(load)), ...perShipment(node) }
      for (const [name, minor] of units.flat()) sum[name] = (sum[name] ?? 0) + minor
      return sum
    },
    whyChosen: (chosen, other) => `costs ${amount(total(chosen))}, the next best with ${other.name} ${amount(total(other.parts))}`,
    whyLost,
  }
}

/** `lost by 3.20: 2.10 shipping, 1.10 capacity`; what it would have saved comes after, as `but 0.40 less picking`. */
function whyLost(other: Parts, chosen: Rival): string {
  const by = total(other) - total(chosen.parts)
  const names = [...new Set([...Object.keys(other), ...Object.keys(chosen.parts)])]
  const differences = names.map((name) => ({ name: name.replaceAll('_', '-'), by: (other[name] ?? 0) - (chosen.parts[name] ?? 0) }))
  const more = differences.filter((d) => d.by > 0).sort((a, b) => b.by - a.by)
  const less = differences.filter((d) => d.by < 0).sort((a, b) => a.by - b.by)
  if (by === 0) return `costs as much as ${chosen.name}, later by name`
  const saved = less.length ? `, but ${less.map((d) => `${amount(-d.by)} less ${d.name}`).join(', ')}` : ''
  return `lost by ${amount(by)}: ${more.map((d) => `${amount(d.by)} ${d.name}`).join(', ')}${saved}`
}

const zones = ({ rateCard }: SourcingCosts): RateZone[] => [...rateCard].sort((a, b) => a.upToKm - b.upToKm)

/** The steps of all zones: one list per policy, so that what they cost is worked out once. */
export function allTiers(costs: SourcingCosts): Tariff {
  const tiers = tiersOf.get(costs) ?? costs.rateCard.flatMap((zone) => zone.tiers)
  tiersOf.set(costs, tiers)
  return tiers
}
const tiersOf = new WeakMap<SourcingCosts, Tariff>()

const gramsOf = (load: readonly Loaded[]): number => load.reduce((sum, { line, units }) => sum + line.weightGrams * units, 0)
const total = (parts: Parts): number => Object.values(parts).reduce((a, b) => a + b, 0)
/** Two digits: a policy counts in hundredths, and compares. */
const amount = (minor: number): string => (minor / 100).toFixed(2)
