/**
 * What a policy would have done with the orders of a period: each order is sourced in the order in which they were placed, on stock that moves as it
 * moved then, and takes what it is given.
 *
 * An order that no plan fills is lost with the value of its goods: nobody waits for stock here. An order that was called off holds its stock until
 * then and counts in nothing. What a node rejected is not replayed, and trust, safety stock and opening hours are those of today.
 */
import { distanceMeters } from '../delivery/distance'
import { availableToSell, type ChannelStock } from '../inventory/level'
import type { ChannelFacts } from '../policy/channel-facts'
import { sourcingFor } from '../policy/channel-rules'
import type { SourcingCosts, SourcingPolicy } from '../policy/sourcing'
import { dayMs, openZone, type Zone } from '../promise/days'
import { costObjective } from './costs'
import type { Candidate, PlannedShipment, SourcingAsk } from './decision'
import type { DeliveryDays } from './delivery-days'
import { openShelves, type Shelf, type Shelves, type StockChange } from './shelves'
import { choose, shipmentsOf, type Choice, type SourcingRules } from './source'
import { weighing } from './verdicts'

export interface ReplayedOrder extends Omit<SourcingAsk, 'excluded' | 'shipmentsBefore'> {
  orderId: string
  channel: string
  /** Instants in milliseconds since 1970. */
  placedAt: number
  promisedBy?: number
  /** When the customer or the seller called it off and its stock came back. */
  calledOffAt?: number
  /** The node it is collected from. */
  nodeId?: string
}
export interface ReplayedNode extends Omit<Candidate, 'available' | 'work' | 'daysLate'> {
  timeZone: string
  ordersPerDay?: number
}
export interface Period {
  nodes: readonly ReplayedNode[]
  /** As they are today, like the network. */
  channels: Readonly<Record<string, ChannelStock & ChannelFacts>>
  opening: readonly Shelf[]
  changes: readonly StockChange[]
  /** In the order in which they were placed. */
  orders: readonly ReplayedOrder[]
  deliveryDays: DeliveryDays
}

/** A row per order that was not called off: what happened to it. */
export interface Outcome {
  orders: number
  filled: Float64Array
  /** Value of the goods of an order that could not be filled. */
  lostMinor: Float64Array
  /** All zero without costs. */
  costMinor: Float64Array
  shipments: Float64Array
  /** Filled with a date promised and enough delivered parcels to say when it would come; and of those, later than promised. */
  dated: Float64Array
  late: Float64Array
  load: NodeLoad[]
}
export interface NodeLoad {
  nodeId: string
  shipments: number
  units: number
  /** The most shipments it had on one local day. */
  busiestDay: number
}

export type RuledSourcing = SourcingRules & Pick<SourcingPolicy, 'channelRules'>

export interface Replay {
  policy: RuledSourcing
  costs?: SourcingCosts
  /** Called now and then with how many orders are done. */
  progress?: (done: number) => void
  /** Sees every plan before its stock is taken. */
  watch?: (order: ReplayedOrder, shipments: readonly PlannedShipment[]) => void
}

const progressEvery = 500

export function replay(period: Period, { policy, costs, progress, watch }: Replay): Outcome {
  const counted = period.orders.filter((o) => o.calledOffAt === undefined).length
  const outcome = emptyOutcome(counted)
  const shelves = openShelves(period.opening, period.changes)
  const floor = openFloor(period)
  const policyOf = byChannel(period, policy)
  let row = 0
  period.orders.forEach((order, i) => {
    shelves.passTo(order.placedAt)
    const ask = { ...order, excluded: [] }
    const choice = choose(ask, candidates(period, shelves, floor, order), policyOf(order.channel))
    const shipments = shipmentsOf(ask, choice)
    watch?.(order, shipments)
    take(shelves, order, shipments)
    if (order.calledOffAt === undefined) {
      floor.work(order, shipments)
      note(outcome, row, { order, shipments, costMinor: costs && shipments.length ? costOf(ask, choice, costs) : 0, late: lateness(period, order, shipments) })
      row += 1
    }
    if ((i + 1) % progressEvery === 0 || i + 1 === period.orders.length) progress?.(i + 1)
  })
  return { ...outcome, load: floor.load() }
}

/** What the policy says for each channel, worked out once. */
function byChannel({ channels }: Period, policy: RuledSourcing): (channelId: string) => SourcingRules {
  const own = new Map(Object.values(channels).map((channel) => [channel.channelId, sourcingFor(policy, channel)]))
  return (channelId) => own.get(channelId) ?? policy
}

const emptyOutcome = (orders: number): Outcome => {
  const column = (): Float64Array => new Float64Array(orders)
  return { orders, filled: column(), lostMinor: column(), costMinor: column(), shipments: column(), dated: column(), late: column(), load: [] }
}

/** Every node as it stood when the order was placed. */
function candidates({ nodes, channels }: Period, shelves: Shelves, floor: Floor, order: ReplayedOrder): Candidate[] {
  const rules = channels[order.channel] ?? { stockBuffer: 0, stockThreshold: 0 }
  const among = order.nodeId === undefined ? nodes : nodes.filter((n) => n.nodeId === order.nodeId)
  return among.map((node) => {
    const available: Record<string, number> = {}
    for (const { sku } of order.lines) available[sku] = availableToSell(Math.max(0, shelves.free(sku, node.nodeId)), rules)
    const work = node.ordersPerDay === undefined ? undefined : { limit: node.ordersPerDay, taken: floor.taken(node.nodeId, order.placedAt) }
    return { ...node, available, ...(work && { work }) }
  })
}

function take(shelves: Shelves, { calledOffAt }: ReplayedOrder, shipments: readonly PlannedShipment[]): void {
  for (const { nodeId, lines } of shipments)
    for (const { sku, quantity } of lines) {
      shelves.take(sku, nodeId, quantity)
      if (calledOffAt !== undefined) shelves.giveBackAt(calledOffAt, { sku, nodeId, units: quantity })
    }
}

/** What the plan costs by `costs`, whatever it was chosen by. */
function costOf(ask: SourcingAsk, { able, optimum }: Choice, costs: SourcingCosts): number {
  const parts = weighing({ ask, able, objective: costObjective(costs) })(optimum!.shipments)
  return Object.values(parts).reduce((a, b) => a + b, 0)
}

/** Whether the last part is expected after what was promised; undefined where nothing was promised or nothing is known of how long it takes. */
function lateness({ nodes, deliveryDays }: Period, { placedAt, promisedBy, destination }: ReplayedOrder, shipments: readonly PlannedShipment[]): boolean | undefined {
  if (promisedBy === undefined || !destination || shipments.length === 0) return undefined
  const days = shipments.map((s) => deliveryDays(s.nodeId, distanceMeters(destination, nodes.find((n) => n.nodeId === s.nodeId)!.position)))
  return days.some((d) => d === undefined) ? undefined : placedAt + Math.max(...days.map((d) => d!)) * dayMs > promisedBy
}

interface Happened {
  order: ReplayedOrder
  shipments: readonly PlannedShipment[]
  costMinor: number
  late?: boolean
}

function note(outcome: Outcome, row: number, { order, shipments, costMinor, late }: Happened): void {
  const isFilled = shipments.length > 0
  outcome.filled[row] = isFilled ? 1 : 0
  outcome.lostMinor[row] = isFilled ? 0 : order.lines.reduce((sum, l) => sum + l.valueMinor * l.quantity, 0)
  outcome.costMinor[row] = costMinor
  outcome.shipments[row] = shipments.length
  outcome.dated[row] = late === undefined ? 0 : 1
  outcome.late[row] = late ? 1 : 0
}

/** What every node has been given, altogether and on the day that is running there. */
interface Floor {
  taken(nodeId: string, at: number): number
  work(order: ReplayedOrder, shipments: readonly PlannedShipment[]): void
  load(): NodeLoad[]
}

function openFloor({ nodes }: Period): Floor {
  const zones = new Map<string, Zone>()
  for (const { timeZone } of nodes) if (!zones.has(timeZone)) zones.set(timeZone, openZone(timeZone)!)
  const desks = new Map(nodes.map((n) => [n.nodeId, { zone: zones.get(n.timeZone)!, nodeId: n.nodeId, shipments: 0, units: 0, busiestDay: 0, day: Number.NaN, today: 0 }]))
  const deskAt = (nodeId: string, at: number): NodeLoad & { today: number } => {
    const desk = desks.get(nodeId)!
    const day = desk.zone.dayOf(at)
    if (day !== desk.day) Object.assign(desk, { day, today: 0 })
    return desk
  }
  return {
    taken: (nodeId, at) => deskAt(nodeId, at).today,
    work({ placedAt }, shipments) {
      for (const { nodeId, lines } of shipments) {
        const desk = deskAt(nodeId, placedAt)
        desk.shipments += 1
        desk.today += 1
        desk.units += lines.reduce((sum, l) => sum + l.quantity, 0)
        desk.busiestDay = Math.max(desk.busiestDay, desk.today)
      }
    },
    load: () => [...desks.values()].map(({ nodeId, shipments, units, busiestDay }) => ({ nodeId, shipments, units, busiestDay })),
  }
}
