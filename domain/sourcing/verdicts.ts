/** Why every node won or lost: the best plan that uses it, next to the one chosen, in the parts in which they differ. */
import type { CandidateVerdict, Parts, SourcingAsk } from './decision'
import type { Judged } from './judged'
import { addParts, type Loaded, type Objective } from './objective'
import { planCost, type Optimum, type Problem, type Shipment } from './problem'

interface Posed {
  ask: SourcingAsk
  able: readonly Judged[]
  objective: Objective
  problem: Problem
}

/** The named parts of a plan. */
export const weighing =
  ({ ask, able, objective }: Omit<Posed, 'problem'>) =>
  (shipments: readonly Shipment[]): Parts =>
    addParts([
      ...shipments.map(({ node, units }) => objective.partsOf(able[node]!, ask.lines.map((line, i): Loaded => ({ line, units: units[i]! })))),
      ...shipments.slice(1).map(() => objective.splitParts),
    ])

interface Judgement extends Posed {
  judged: readonly Judged[]
  optimum?: Optimum
}

/** @returns every node with why it was chosen or lost, and why the chosen plan was. */
export function verdicts(given: Judgement): { candidates: CandidateVerdict[]; reason: string } {
  const { judged, able, optimum } = given
  const weigh = weighing(given)
  const chosen = optimum && { name: namesOf(given, optimum.shipments), parts: weigh(optimum.shipments), nodes: optimum.shipments.map((s) => s.node) }
  const rivals: { name: string; cost: number; parts: Parts }[] = []
  const candidates = judged.map((j): CandidateVerdict => {
    const seen = { nodeId: j.node.nodeId, ...(j.distanceMeters === undefined ? {} : { distanceMeters: j.distanceMeters }) }
    const missing = j.missing.length ? { missing: j.missing } : {}
    const node = able.indexOf(j)
    if (chosen?.nodes.includes(node)) return { ...seen, verdict: 'chosen', ...missing }
    if (j.fence !== undefined) return { ...seen, verdict: j.fence, ...missing }
    const best = optimum && node >= 0 ? bestWith(given.problem, optimum, node) : undefined
    if (!best) return { ...seen, verdict: j.missing.length ? shortWords(j) : 'cannot be had together with the rest', ...missing }
    const parts = weigh(best.shipments)
    rivals.push({ name: j.node.nodeId, cost: best.cost, parts })
    return { ...seen, verdict: given.objective.whyLost(parts, chosen!), parts, ...missing }
  })
  return { candidates, reason: chosen ? reasonFor(given, chosen.parts, rivals) : '' }
}

function reasonFor({ objective, optimum }: Judgement, parts: Parts, rivals: readonly { name: string; cost: number; parts: Parts }[]): string {
  const [next] = [...rivals].sort((a, b) => a.cost - b.cost)
  if (next) return objective.whyChosen(parts, next)
  return optimum!.shipments.length === 1 ? 'the only node that has it all' : 'the only nodes that have it all together'
}

/** The node alone, or in the place of one of the chosen, whichever is better; undefined when it can be neither. */
function bestWith(problem: Problem, { shipments }: Optimum, node: number): { cost: number; shipments: readonly Shipment[] } | undefined {
  const alone = [{ node, units: problem.lines.map((l) => l.quantity) }]
  const plans = [alone, ...shipments.map((_, i) => shipments.with(i, { ...shipments[i]!, node }))].map((plan) => ({ shipments: plan, cost: planCost(problem, plan) }))
  const best = plans.reduce((a, b) => (b.cost < a.cost ? b : a))
  return best.cost < Number.POSITIVE_INFINITY ? best : undefined
}

const namesOf = ({ able }: Judgement, shipments: readonly Shipment[]): string => shipments.map((s) => able[s.node]!.node.nodeId).join(' + ')

const shortWords = (j: Judged): string => `short of ${j.missing.map((m) => `${m.sku} (${m.why ?? `${m.available} of ${m.wanted}`})`).join(', ')}`
