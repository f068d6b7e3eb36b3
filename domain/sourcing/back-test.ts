/** Two policies on the same orders and the same stock, side by side: what each would have cost, lost and given to every node, and how sure the difference is. */
import { compare, type Difference, type Measure } from './bootstrap'
import { replay, type NodeLoad, type Period, type RuledSourcing } from './replay'

export interface BackTest {
  draft: RuledSourcing
  against: RuledSourcing
  /** Uniform in [0, 1). */
  random: () => number
  /** Called now and then with how many of twice as many orders are done. */
  progress?: (done: number) => void
}
export interface BackTestResult {
  orders: number
  /** By whose costs both were priced; null: neither policy has any, and nothing is said of costs. */
  costsOf: 'draft' | 'against' | null
  /** A measure that cannot be said of both is null. */
  measures: Readonly<Record<Measure, Difference | null>>
  load: readonly NodeLoads[]
}
export interface NodeLoads {
  nodeId: string
  draft: Omit<NodeLoad, 'nodeId'>
  against: Omit<NodeLoad, 'nodeId'>
}

/** Both are priced by the draft's costs, or by the other's where the draft has none, whatever each of them decides by. */
export function backTest(period: Period, { draft, against, random, progress }: BackTest): BackTestResult {
  const costs = draft.costs ?? against.costs
  const one = replay(period, { policy: draft, ...(costs && { costs }), ...(progress && { progress }) })
  const other = replay(period, { policy: against, ...(costs && { costs }), progress: (done) => progress?.(period.orders.length + done) })
  const measures = compare(one, other, random)
  return {
    orders: one.orders,
    costsOf: draft.costs ? 'draft' : against.costs ? 'against' : null,
    measures: costs ? measures : { ...measures, ...notPriced },
    load: one.load.map(({ nodeId, ...load }, i) => ({ nodeId, draft: load, against: withoutId(other.load[i]!) })),
  }
}

const notPriced = { costMinor: null, costPerOrderMinor: null }

const withoutId = ({ shipments, units, busiestDay }: NodeLoad): Omit<NodeLoad, 'nodeId'> => ({ shipments, units, busiestDay })
