/**
 * Open orders together: one mixed-integer programme decides which of them stay as they are and which take another plan, so that all
 * together cost least and no shelf gives more than it has. Orders that share no scarce shelf do not know of each other and are solved apart.
 */
import { connected } from './connected'
import type { PlannedShipment } from './decision'

export interface BatchOrder {
  orderId: string
  /** What it costs where it is, and what it holds there. */
  costMinor: number
  holds: readonly Hold[]
  /** The plans that could take the place of the present one, each with what it costs. */
  options: readonly BatchOption[]
}
export interface BatchOption {
  shipments: readonly PlannedShipment[]
  costMinor: number
  takes: readonly Hold[]
}
export interface Hold {
  sku: string
  nodeId: string
  units: number
}
export interface Batch {
  orders: readonly BatchOrder[]
  /** Units that may be taken besides what these orders hold already. */
  free: readonly Hold[]
  /** Orders a node can take besides those of these orders that it has; absent where nobody has set a limit. */
  room: Readonly<Record<string, number>>
}

/** Solves a programme in CPLEX LP format. @returns the value of every variable, undefined when no solution was found. */
export type Solver = (programme: string) => ((variable: string) => number) | undefined

export interface Move {
  orderId: string
  shipments: readonly PlannedShipment[]
  /** May be below zero: it makes way for others of its group. */
  savesMinor: number
}
export interface BatchPlan {
  /** Moves that need each other: all of a group, or none. Each group saves something. */
  groups: readonly (readonly Move[])[]
  beforeMinor: number
  afterMinor: number
}

export function reoptimise(batch: Batch, solve: Solver): BatchPlan {
  const limits = limitsOf(batch)
  const scarce = [...limits.values()].filter((limit) => limit.users.reduce((sum, u) => sum + u.most, 0) > limit.most)
  const parts = connected(batch.orders.length, scarce.map((limit) => limit.users.map((u) => u.order)))
  const chosen = new Map<number, BatchOption>()
  for (const part of parts) {
    const options = part.length === 1 && !scarce.some((limit) => limit.users.some((u) => u.order === part[0])) ? cheapest(batch, part[0]!) : solved(batch, part, scarce, solve)
    for (const [order, option] of options) chosen.set(order, option)
  }
  const groups = groupsOf(batch, chosen, limits)
  const beforeMinor = batch.orders.reduce((sum, o) => sum + o.costMinor, 0)
  return { groups, beforeMinor, afterMinor: beforeMinor - groups.flat().reduce((sum, move) => sum + move.savesMinor, 0) }
}

type Chosen = Map<number, BatchOption>

/** Alone on its shelves, an order takes the cheapest node, or stays. */
function cheapest({ orders }: Batch, order: number): Chosen {
  const { costMinor, options } = orders[order]!
  const best = options.reduce<BatchOption | undefined>((a, b) => (b.costMinor < (a?.costMinor ?? costMinor) ? b : a), undefined)
  return new Map(best ? [[order, best]] : [])
}

/** A shelf, or a node's day: how much there is for all, and who could use how much of it. */
interface Limit {
  name: string
  most: number
  free: number
  users: { order: number; present: number; byOption: Map<number, number>; most: number }[]
}

function limitsOf({ orders, free, room }: Batch): Map<string, Limit> {
  const limits = new Map<string, Limit>()
  const limit = (name: string): Limit => {
    const known = limits.get(name) ?? { name, most: 0, free: 0, users: [] }
    limits.set(name, known)
    return known
  }
  for (const { sku, nodeId, units } of free) limit(shelfName(sku, nodeId)).free += units
  for (const [nodeId, orderCount] of Object.entries(room)) limit(dayName(nodeId)).free += orderCount
  const uses = (order: number): ((name: string) => Limit['users'][number]) => (name) => {
    const { users } = limit(name)
    if (users.at(-1)?.order !== order) users.push({ order, present: 0, byOption: new Map(), most: 0 })
    return users.at(-1)!
  }
  orders.forEach(({ holds, options }, order) => {
    const use = uses(order)
    for (const { name, units } of needs(holds, room)) use(name).present += units
    options.forEach((option, k) => {
      for (const { name, units } of needs(option.takes, room)) {
        const user = use(name)
        user.byOption.set(k, (user.byOption.get(k) ?? 0) + units)
      }
    })
  })
  for (const known of limits.values()) {
    for (const user of known.users) user.most = Math.max(user.present, ...user.byOption.values())
    known.most = Math.max(0, known.free) + known.users.reduce((sum, u) => sum + u.present, 0)
  }
  return limits
}

const shelfName = (sku: string, nodeId: string): string => `${sku}\n${nodeId}`
const dayName = (nodeId: string): string => `\n${nodeId}`

/** What holding this takes: units of shelves, and a place in the day of every node that has a limit. */
function needs(holds: readonly Hold[], room: Batch['room']): { name: string; units: number }[] {
  const nodes = [...new Set(holds.map((h) => h.nodeId))].filter((nodeId) => room[nodeId] !== undefined)
  return [...holds.map(({ sku, nodeId, units }) => ({ name: shelfName(sku, nodeId), units })), ...nodes.map((nodeId) => ({ name: dayName(nodeId), units: 1 }))]
}

/** What is chosen for the orders of a part; nothing where the solver found nothing better that keeps every limit. */
function solved(batch: Batch, part: readonly number[], scarce: readonly Limit[], solve: Solver): Chosen {
  const members = new Set(part)
  const limits = scarce.filter((limit) => limit.users.some((u) => members.has(u.order)))
  const value = solve(programme(batch, part, limits))
  const chosen: Chosen = new Map()
  if (!value) return chosen
  for (const order of part) batch.orders[order]!.options.forEach((option, k) => value(variable(order, k)) > 0.5 && chosen.set(order, option))
  const saves = part.reduce((sum, order) => sum + (chosen.has(order) ? batch.orders[order]!.costMinor - chosen.get(order)!.costMinor : 0), 0)
  return saves > 0 && limits.every((limit) => used(batch, limit, chosen) <= limit.most) ? chosen : new Map<number, BatchOption>()
}

const used = ({ orders }: Batch, limit: Limit, chosen: Chosen): number =>
  limit.users.reduce((sum, { order, present, byOption }) => {
    const option = chosen.get(order)
    return sum + (option ? (byOption.get(orders[order]!.options.indexOf(option)) ?? 0) : present)
  }, 0)

const variable = (order: number, option: number): string => `x${order}_${option}`

/** x = 1: the order moves to that option; none of its own: it stays. The objective is what moving costs more or less. */
function programme({ orders }: Batch, part: readonly number[], limits: readonly Limit[]): string {
  const signed = (amount: number, name: string): string => `${amount < 0 ? '-' : '+'} ${Math.abs(amount)} ${name}`
  const of = (order: number): string[] => orders[order]!.options.map((_, k) => variable(order, k))
  const objective = part.flatMap((order) => orders[order]!.options.map((option, k) => signed(option.costMinor - orders[order]!.costMinor, variable(order, k))))
  const once = part.filter((order) => orders[order]!.options.length > 0).map((order) => `${of(order).join(' + ')} <= 1`)
  const kept = limits.flatMap(({ users, most }) => {
    // Moving away gives back what is held: the row counts what changes, against what is free.
    const terms = users.flatMap(({ order, present, byOption }) =>
      orders[order]!.options.flatMap((_, k) => {
        const change = (byOption.get(k) ?? 0) - present
        return change === 0 ? [] : [signed(change, variable(order, k))]
      }),
    )
    const held = users.reduce((sum, u) => sum + u.present, 0)
    return terms.length ? [`${terms.join(' ')} <= ${most - held}`] : []
  })
  const rows = [...once, ...kept].map((row, i) => ` r${i}: ${row}`)
  return `Minimize\n obj: ${objective.join(' ')}\nSubject To\n${rows.join('\n')}\nBinary\n ${part.flatMap(of).join(' ')}\nEnd\n`
}

/** Moves that meet at a limit which without the others' leaving would not hold; a group that saves nothing stays where it is. */
function groupsOf(batch: Batch, chosen: Chosen, limits: ReadonlyMap<string, Limit>): Move[][] {
  const moving = [...chosen.keys()].sort((a, b) => a - b)
  const place = new Map(moving.map((order, i) => [order, i]))
  const meetings = [...limits.values()].map((limit) => {
    const users = limit.users.filter((u) => place.has(u.order))
    const taken = users.reduce((sum, u) => sum + (u.byOption.get(batch.orders[u.order]!.options.indexOf(chosen.get(u.order)!)) ?? 0), 0)
    return taken > Math.max(0, limit.free) ? users.map((u) => place.get(u.order)!) : []
  })
  const move = (order: number): Move => {
    const { orderId, costMinor } = batch.orders[order]!
    const option = chosen.get(order)!
    return { orderId, shipments: option.shipments, savesMinor: costMinor - option.costMinor }
  }
  return connected(moving.length, meetings)
    .map((group) => group.map((i) => move(moving[i]!)))
    .filter((group) => group.reduce((sum, m) => sum + m.savesMinor, 0) > 0)
}
