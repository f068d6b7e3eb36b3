/** The same problem as a mixed-integer programme, for a solver that is not ours (HiGHS): what it says is the cheapest plan. */
import highsLoader, { type Highs } from 'highs'
import { cheapestSingle, type Problem } from '../../../domain/sourcing/problem'
import type { Tariff } from '../../../domain/sourcing/tariff'

export interface Posed {
  problem: Problem
  /** The rate card behind each node's price. */
  tariffs: readonly Tariff[]
}

export const solver = (): Promise<Highs> => highsLoader()

/** @returns the cost of the cheapest plan, undefined when there is none. */
export function oracleCost(highs: Highs, posed: Posed): number | undefined {
  const single = cheapestSingle(posed.problem)?.cost
  const solution = solve(highs, programme(posed))
  const split = solution.Status === 'Optimal' ? Math.round(solution.ObjectiveValue) : undefined
  const costs = [single, split].filter((c) => c !== undefined)
  return costs.length ? Math.min(...costs) : undefined
}

/** Its presolve gives up, with an error, on some programmes that have no solution. */
function solve(highs: Highs, text: string): ReturnType<Highs['solve']> {
  const exactly = { mip_rel_gap: 0, mip_abs_gap: 0.4 }
  try {
    return highs.solve(text, exactly)
  } catch {
    return highs.solve(text, { ...exactly, presolve: 'off' })
  }
}

/** x: pieces of a line from a node; y: the node ships; k: parcels of a step of its rate card. Every shipment is worth the guard, as in a split order. */
function programme({ problem, tariffs }: Posed): string {
  const { lines, nodes, maxShipments, splitPenalty, splitGuard } = problem
  const x = (i: number, n: number): string => `x${i}_${n}`
  const each = <T>(list: readonly T[], term: (item: T, i: number) => string): string => list.map(term).join(' + ')
  const objective = nodes.map((node, n) =>
    [`${node.fixed + splitPenalty} y${n}`, ...lines.map((l, i) => `${l.piece * node.unit[i]!} ${x(i, n)}`), ...tariffs[n]!.map((t, k) => `${t.priceMinor} k${n}_${k}`)].join(' + '),
  )
  const skus = [...new Set(lines.map((l) => l.sku))]
  const rows = [
    ...lines.map((l, i) => `${each(nodes, (_, n) => x(i, n))} = ${l.quantity / l.piece}`),
    `${each(nodes, (_, n) => `y${n}`)} <= ${maxShipments}`,
    ...nodes.flatMap((node, n) => [
      ...skus.map((sku) => `${each(lines.flatMap((l, i) => (l.sku === sku ? [`${l.piece} ${x(i, n)}`] : [])), (t) => t)} <= ${node.stock[sku]}`),
      `${each(lines, (l, i) => `${l.piece} ${x(i, n)}`)} <= ${Math.min(node.capacity, 1e6)}`,
      ...lines.map((l, i) => `${x(i, n)} - ${l.quantity / l.piece} y${n} <= 0`),
      `${each(tariffs[n]!, (t, k) => `${t.upToGrams} k${n}_${k}`)} - ${lines.map((l, i) => `${l.piece * l.grams} ${x(i, n)}`).join(' - ')} >= 0`,
      `${each(lines, (l, i) => `${l.piece * l.value} ${x(i, n)}`)} - ${splitGuard} y${n} >= 0`,
      `${each(tariffs[n]!, (_, k) => `k${n}_${k}`)} - y${n} >= 0`,
    ]),
  ]
  const whole = nodes.flatMap((_, n) => [...lines.map((__, i) => x(i, n)), ...tariffs[n]!.map((__, k) => `k${n}_${k}`)])
  const constant = splitPenalty // the first shipment is free of it
  return `Minimize\n obj: ${objective.join(' + ')} - ${constant} one\nSubject To\n${rows.map((r, i) => ` r${i}: ${r}`).join('\n')}\n fix: one = 1\nGeneral\n ${whole.join(' ')}\nBinary\n ${nodes.map((_, n) => `y${n}`).join(' ')}\nEnd\n`
}
