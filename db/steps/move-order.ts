/** An order goes elsewhere, or another way: what is claimed for it stays where that is still best, and comes from the best nodes otherwise; and it is promised anew. Nothing of it is packed yet. */
import type { Address } from '../../domain/order/change'
import { searchText, type NewOrder } from '../../domain/order/new-order'
import type { Delivery, Rerouted } from '../../domain/order/reroute'
import { refuse } from '../../domain/refusals'
import type { OpenLine, PlannedShipment, SourcingDecision } from '../../domain/sourcing/decision'
import { row, rows, run, type Transaction } from '../connection'
import { record } from '../events'
import { fulfillmentsOf, moveFulfillment, refreshPicked, workLines } from '../fulfillments'
import { comingFrom, type AfterSale } from '../open-lines'
import type { OrderRow } from '../orders'
import { takeHold } from '../reservations'
import { claimPlanned, keepDecision, planClaim, type Plan } from '../sourcing'
import { release } from '../stock'
import { leaveWave } from '../waves'
import type { PlannedChange } from './plan-change'

export interface PlannedRoute {
  decision: SourcingDecision
  /** Its work orders are as they should be. */
  stays: boolean
  /** What it needs beyond what it has claimed. */
  extra: { sku: string; nodeId: string; quantity: number }[]
}

type Going = Pick<Rerouted, 'shipTo' | 'delivery'>

/** On locked levels, its own claims free. @returns undefined while nothing is claimed for it. @throws `stock.short` */
export async function planRoute(tx: Transaction, order: OrderRow, { shipTo, delivery }: Going, { fewer, more }: Pick<PlannedChange, 'fewer' | 'more'>): Promise<PlannedRoute | undefined> {
  const claimed = await claimedOf(tx, order.orderId)
  const lines = [...keptOf(claimed, fewer), ...more]
  if (lines.length === 0) return undefined
  const decision = await planClaim(tx, { channel: order.channel, lines, ...comingFrom(delivery), ...(await placeOf(tx, { shipTo, delivery })), excluded: await rejectedBy(tx, order.orderId), asIfFree: order.orderId, policy: order.policy.sourcing }, 'locked')
  if (!decision.chosen) throw refuse('stock.short', { short: decision.short })
  const { shipments } = decision.chosen
  const stays = delivery.method === order.delivery.method && fewer.length === 0 && holding(shipments) === holding(shipmentsOf(claimed))
  return { decision, stays, extra: stays ? [] : beyond(shipments, claimed) }
}

interface Claimed extends OpenLine {
  nodeId: string
  valueMinor: number
}

const claimedOf = (tx: Transaction, orderId: string): Promise<Claimed[]> =>
  rows(
    tx,
    `SELECT a.line_id AS "lineId", a.sku, a.node_id AS "nodeId", sum(a.quantity)::int AS quantity, max(l.unit_price_minor) AS "valueMinor"
     FROM allocations a JOIN order_lines l USING (order_id, line_id) WHERE a.order_id = ? AND a.status = 'open' GROUP BY 1, 2, 3 ORDER BY 1, 3`,
    [orderId],
  )

/** By line, without what the same change gives up. */
function keptOf(claimed: readonly Claimed[], fewer: PlannedChange['fewer']): Omit<Claimed, 'nodeId'>[] {
  const lines = new Map<string, Omit<Claimed, 'nodeId'>>()
  for (const { lineId, sku, quantity, valueMinor } of claimed) lines.set(lineId, { lineId, sku, valueMinor, quantity: quantity + (lines.get(lineId)?.quantity ?? 0) })
  return [...lines.values()].map((l) => ({ ...l, quantity: l.quantity - (fewer.find((f) => f.lineId === l.lineId)?.quantity ?? 0) })).filter((l) => l.quantity > 0)
}

const shipmentsOf = (claimed: readonly Claimed[]): PlannedShipment[] => claimed.map(({ nodeId, ...line }) => ({ nodeId, lines: [line] }))

const holding = (shipments: readonly PlannedShipment[]): string => shipments.flatMap(({ nodeId, lines }) => lines.map((l) => `${nodeId} ${l.lineId} ${l.quantity}`)).sort().join('; ')

function beyond(shipments: readonly PlannedShipment[], claimed: readonly Claimed[]): PlannedRoute['extra'] {
  const sums = new Map<string, PlannedRoute['extra'][number]>()
  const add = (nodeId: string, sku: string, quantity: number): void => void sums.set(`${nodeId} ${sku}`, { nodeId, sku, quantity: quantity + (sums.get(`${nodeId} ${sku}`)?.quantity ?? 0) })
  for (const { nodeId, lines } of shipments) for (const l of lines) add(nodeId, l.sku, l.quantity)
  for (const { nodeId, sku, quantity } of claimed) add(nodeId, sku, -quantity)
  return [...sums.values()].filter((s) => s.quantity > 0)
}

/** Where it is to come: the customer's door, or the store where she fetches it. */
async function placeOf(tx: Transaction, { shipTo, delivery }: Going): Promise<Pick<Plan, 'destination' | 'country'>> {
  if (delivery.method !== 'delivery') {
    const node = (await row<{ country: string; latitude: number; longitude: number }>(tx, 'SELECT country, latitude, longitude FROM nodes WHERE node_id = ?', [delivery.nodeId!]))!
    return { country: node.country, destination: { latitude: node.latitude, longitude: node.longitude } }
  }
  const { country, latitude, longitude } = shipTo as Address & { latitude?: number; longitude?: number }
  return { country, ...(latitude !== undefined && longitude !== undefined && { destination: { latitude, longitude } }) }
}

const rejectedBy = async (tx: Transaction, orderId: string): Promise<string[]> =>
  (await rows<{ nodeId: string }>(tx, `SELECT DISTINCT node_id AS "nodeId" FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE order_id = ? AND (l.rejected > 0 OR f.status = 'rejected')`, [orderId])).map((n) => n.nodeId)

/** Written on the order: from now on it goes there, that way, for that price, and is found by the name at that door. */
export async function writeRoute(tx: Transaction, { orderId, channelOrderId }: OrderRow, { shipTo, delivery, shipping }: Rerouted): Promise<void> {
  const { customer } = (await row<{ customer: NewOrder['customer'] | null }>(tx, 'SELECT customer FROM orders WHERE order_id = ?', [orderId]))!
  const search = searchText({ channelOrderId, customer: customer ?? undefined, shipTo: shipTo ?? undefined })
  await run(tx, 'UPDATE orders SET ship_to = ?::jsonb, search = ?, delivery = ?::jsonb, shipping = ?::jsonb WHERE order_id = ?', [
    shipTo && JSON.stringify(shipTo), search, JSON.stringify(delivery), JSON.stringify(shipping), orderId,
  ])
}

export interface Moved {
  /** Work orders that ended by it. */
  stopped: string[]
  toSource: boolean
}

/** Claims come from where the new route wants them; works that cannot go on as they are end, and who has picked for them is told what goes back. @throws `stock.short`, LostRace */
export async function moveGoods(tx: Transaction, order: OrderRow, planned: PlannedChange & { route: Rerouted }, { changeId, actor, after }: { changeId: string; actor: string; after?: AfterSale }): Promise<Moved> {
  const { orderId, channel } = order
  const { route } = planned
  await takeHold(tx, { quoteId: changeId, skus: [...new Set([...planned.lines.map((l) => l.sku), ...planned.more.map((m) => m.sku)])], actor })
  const plan = await planRoute(tx, order, route, planned)
  if (after) await promiseAnew(tx, order, route, plan?.decision.chosen?.shipments ?? [], after)
  if (!plan) return { stopped: [], toSource: false }
  if (plan.stays) {
    await run(tx, `UPDATE fulfillments SET service = ? WHERE order_id = ? AND status IN ('released', 'picking', 'picked')`, [route.delivery.service ?? '', orderId])
    return { stopped: [], toSource: false }
  }
  const stopped = await stopWorks(tx, order, actor)
  await release(tx, { orderId, actor, reason: 'goes elsewhere' })
  await claimPlanned(tx, { orderId, channel, shipments: plan.decision.chosen!.shipments, actor })
  await keepDecision(tx, orderId, plan.decision, order.policy.versions.sourcing)
  await refreshPicked(tx, orderId)
  return { stopped, toSource: true }
}

async function stopWorks(tx: Transaction, order: OrderRow, actor: string): Promise<string[]> {
  const works = (await fulfillmentsOf(tx, order.orderId)).filter((f) => ['released', 'picking', 'picked'].includes(f.status))
  for (const { fulfillmentId, nodeId, assignee } of works) {
    const all = (await workLines(tx, fulfillmentId)).map((l) => ({ ...l, quantity: l.quantity - l.rejected })).filter((l) => l.quantity > 0)
    const [lines, putBack] = [all.map(({ lineId, quantity }) => ({ lineId, quantity })), all.filter((l) => l.picked > 0).map(({ lineId, sku, picked }) => ({ lineId, sku, quantity: picked }))]
    await moveFulfillment(tx, fulfillmentId, 'cancelled')
    await leaveWave(tx, order, { fulfillmentId, why: 'cancelled', actor })
    await record(tx, order, { type: 'fulfillment.reduced', actor, data: { fulfillmentId, nodeId, status: 'cancelled', lines, putBack, ...(assignee !== null && { assignee }) } })
  }
  return works.map((w) => w.fulfillmentId)
}

/** What can be kept from where it comes now; no date where none can be said. */
async function promiseAnew(tx: Transaction, order: OrderRow, route: Going, shipments: readonly PlannedShipment[], after: AfterSale): Promise<void> {
  const promise = shipments.length ? promiseFor(order, route, shipments, after) : undefined
  await run(tx, 'UPDATE orders SET promise = ?::jsonb WHERE order_id = ?', [promise ? JSON.stringify(promise) : null, order.orderId])
}

export const promiseFor = ({ policy }: Pick<OrderRow, 'policy'>, { shipTo, delivery }: { shipTo: Address | null; delivery: Delivery }, shipments: readonly PlannedShipment[], after: Pick<AfterSale, 'promise'>): ReturnType<AfterSale['promise']> =>
  after.promise({ ...delivery, ...(shipTo && { destination: { country: shipTo.country, postalCode: shipTo.postalCode } }), shipments, policies: policy }, Date.now())
