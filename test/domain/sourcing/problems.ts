/** Random orders and networks, each from one number: few large zones of prices, shelves that are often too short, odd weights, and sometimes a guard. */
import { priceOf, type Tariff } from '../../../domain/sourcing/tariff'
import type { Problem, ProblemLine, ProblemNode } from '../../../domain/sourcing/problem'
import type { Posed } from './oracle'

export interface Size {
  lines: number
  nodes: number
  /** Most units of a line. */
  units: number
  divisible: boolean
}

/** mulberry32: small, fast, and the same everywhere. */
export function dice(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

/** Sizes as they come: mostly small orders in networks of all sizes. */
export function someSize(roll: (below: number) => number): Size {
  return { lines: 1 + Math.min(roll(10), roll(10)), nodes: 1 + Math.floor((roll(200) * roll(200)) / 200), units: 1 + roll(3), divisible: roll(2) === 0 }
}

export function someProblem(seed: number, size?: Size): Posed {
  const roll = dice(seed)
  const { lines: lineCount, nodes: nodeCount, units, divisible } = size ?? someSize(roll)
  const skus = Math.max(1, lineCount - (roll(4) === 0 ? 1 : 0))
  const lines = Array.from({ length: lineCount }, (_, i): ProblemLine => {
    const quantity = 1 + (roll(3) === 0 ? roll(units) : 0)
    return { quantity, piece: divisible ? 1 : quantity, sku: i % skus, grams: 50 + roll(6_000), value: 500 + roll(12_000) }
  })
  const zones = [1, 2, 3].map((zone) => someTariff(roll, zone))
  const prices = zones.map(priceOf)
  const scarcity = 1 + roll(4)
  const tariffs: Tariff[] = []
  const nodes = Array.from({ length: nodeCount }, (): ProblemNode => {
    const zone = roll(3)
    tariffs.push(zones[zone]!)
    const stock = Array.from({ length: skus }, () => (roll(scarcity) === 0 ? roll(6) : 0))
    const busy = roll(5) === 0 ? 1 + roll(4) : 1_000
    return { fixed: 50 + roll(200), price: prices[zone]!, unit: lines.map(() => 10 + roll(120)), stock, capacity: busy }
  })
  const problem: Problem = {
    lines,
    nodes,
    maxShipments: 1 + roll(4),
    splitPenalty: roll(300),
    splitGuard: roll(3) === 0 ? roll(8_000) : 0,
    priceAtLeast: priceOf(zones.flat()),
  }
  return { problem, tariffs }
}

const someTariff = (roll: (below: number) => number, zone: number): Tariff => {
  let price = 200 + 100 * zone
  return [1_000, 2_000, 5_000, 10_000, 31_500].map((upToGrams) => ({ upToGrams, priceMinor: (price += 40 + roll(400)) }))
}
