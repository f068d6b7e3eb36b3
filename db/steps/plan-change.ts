/** What a change comes to, if it is possible now: which units it gives up and which it asks for, the money it moves, and where the units would come from. Reads only, under the order's lock. */
import { isBetweenNodes, isGone, isInBuilding } from '../../domain/fulfillment/moves'
import { insteadOfCancelling, leavesNothing, type LineInPlaces } from '../../domain/order/cancellation'
import { unitsWanted, type ChangeOperation } from '../../domain/order/change'
import { withoutKits } from '../../domain/order/kits'
import type { NewLine } from '../../domain/order/new-order'
import { rerouted, type Rerouted, type Route } from '../../domain/order/reroute'
import { moneyOfChange, raiseOf, withRaise, type MoneyOfChange } from '../../domain/payment/raises'
import { payersOf, worthMinor, type Priced, type PricedLine, type Raise, type Tender, type Units } from '../../domain/payment/shares'
import { refuse } from '../../domain/refusals'
import type { OpenLine, SourcingDecision } from '../../domain/sourcing/decision'
import { linesInPlaces, planUnits } from '../cancellable'
import { row, rows, type Transaction } from '../connection'
import { fulfillmentsOf } from '../fulfillments'
import { kitsAmong } from '../kits'
import { planOfOpen } from '../open-lines'
import type { OrderRow } from '../orders'
import { planClaim } from '../sourcing'
import { coversSql, paidUnitsSql, payingSequence, takenAlreadySql } from '../taken-at-once'

export interface PlannedChange {
  lines: LineInPlaces[]
  fewer: Units[]
  raises: { lineId: string; raise: Raise }[]
  added: NewLine[]
  /** The units it asks for, of whatever line. */
  more: (OpenLine & { valueMinor: number })[]
  /** Another door, way or date. */
  route?: Rerouted
  /** By how much the order's total grows: what is given up stays in it, as cancelled. */
  growsMinor: number
  money: MoneyOfChange
  /** What of it the channel has taken, and gives back by itself. */
  refundElsewhereMinor: number
  /** By how much the way becomes cheaper. */
  shippingDropMinor: number
}

/** As many as are taken when an order is placed. */
const mostLines = 500

interface Facts extends Route, Priced {
  shipping: Route['shipping']
  lines: (PricedLine & { sku: string; cancelled: number; paid: number })[]
  tenders: (Tender & { atOnce: boolean })[]
  /** What those have taken and hold, or are asked to. */
  heldMinor: number
}

/** @throws what confirming it would be refused with, but for stock */
export async function planChange(tx: Transaction, { orderId, policy }: OrderRow, operations: readonly ChangeOperation[]): Promise<PlannedChange> {
  const [lines, facts] = [await linesInPlaces(tx, orderId), (await row<Facts>(tx, factsSql, [orderId]))!]
  const wanted = unitsWanted(lines, operations)
  const asksForMore = wanted.more.length + wanted.added.length > 0
  if (asksForMore || !leavesNothing(lines, wanted.fewer)) await planUnits(tx, orderId, lines, wanted.fewer)
  else if (operations.some((o) => o.op === 'cancel')) await needNothingGone(tx, orderId)
  else throw refuse('order.change_leaves_nothing', { instead: 'cancel' })
  if (asksForMore) await needsParcel(tx, orderId)
  needFewLines(lines, wanted.added)
  const added = asksForMore ? await linesToAdd(tx, wanted.added) : []
  const raises = wanted.more.map(({ lineId, quantity }) => ({ lineId, raise: raiseOf(facts.lines.find((l) => l.lineId === lineId)!, quantity) }))
  const route = rerouted(facts, operations, policy.promise.prices)
  if (route) await (route.isElsewhere ? needUnpacked(tx, orderId) : needUnaddressed(tx, orderId, { pays: shippingMinor({ ...facts, ...route }) !== shippingMinor(facts) }))
  const after = dearer({ ...facts, ...(route && { shipping: route.shipping }) }, raises, added)
  const [was, is] = [{ order: facts, units: paidFor(facts) }, { order: after, units: changed(paidFor(facts), wanted.fewer, raises, added) }]
  const money = moneyOfChange(facts.tenders, was, is, facts.heldMinor)
  const cheaperMinor = Math.max(0, 0 - money.deltaMinor)
  const refundElsewhereMinor = payersOf(facts.tenders, worthMinor(is.order, is.units), cheaperMinor).reduce((sum, p) => sum + (facts.tenders.some((t) => t.tenderId === p.tenderId && t.takenElsewhere && !t.atOnce) ? p.amountMinor : 0), 0)
  const shippingDropMinor = Math.max(0, shippingMinor(facts) - shippingMinor(after))
  const of = (lineId: string): Facts['lines'][number] => facts.lines.find((l) => l.lineId === lineId)!
  const more = [
    ...raises.map(({ lineId, raise }) => ({ lineId, sku: of(lineId).sku, quantity: raise.quantity, valueMinor: of(lineId).unitPriceMinor })),
    ...added.map(({ lineId, sku, quantity, unitPriceMinor }) => ({ lineId, sku, quantity, valueMinor: unitPriceMinor })),
  ]
  return { lines, fewer: wanted.fewer, raises, added, more, ...(route && { route }), growsMinor: totalOf(after) - totalOf(facts), money, refundElsewhereMinor, shippingDropMinor }
}

/** Where the units would come from: from a node that works for the order already, if one has them all, so that they travel with the rest. @throws `stock.short` */
export async function planStock(tx: Transaction, order: OrderRow, more: PlannedChange['more']): Promise<SourcingDecision> {
  const ask = await planOfOpen(tx, order, more)
  for (const nodeId of ask.nodeId === undefined ? await workingNodes(tx, order.orderId) : []) {
    const here = await planClaim(tx, { ...ask, nodeId }, 'locked')
    if (here.chosen) return here
  }
  const decision = await planClaim(tx, ask, 'locked')
  if (!decision.chosen) throw refuse('stock.short', { short: decision.short })
  return decision
}

const workingNodes = async (tx: Transaction, orderId: string): Promise<string[]> =>
  (await rows<{ nodeId: string }>(
    tx,
    `SELECT node_id AS "nodeId" FROM allocations a LEFT JOIN fulfillments f USING (fulfillment_id, order_id, node_id)
     WHERE order_id = ? AND a.status = 'open' AND (f.status IS NULL OR (f.status IN ('released', 'picking', 'picked') AND f.method <> 'transfer')) GROUP BY 1 ORDER BY sum(a.quantity) DESC, 1`,
    [orderId],
  )).map((n) => n.nodeId)

/** @throws `order.already_handed_over` */
async function needNothingGone(tx: Transaction, orderId: string): Promise<void> {
  const gone = (await fulfillmentsOf(tx, orderId)).filter(isGone)
  if (gone.length) throw refuse('order.already_handed_over', { fulfillmentIds: gone.map((f) => f.fulfillmentId), instead: insteadOfCancelling(gone) })
}

/** More joins what has still to leave. @throws `order.change_too_late` when nothing has */
async function needsParcel(tx: Transaction, orderId: string): Promise<void> {
  const fulfillments = await fulfillmentsOf(tx, orderId)
  const inside = fulfillments.some((f) => isInBuilding(f.status) && f.status !== 'packed' && f.status !== 'ready')
  const open = await row(tx, 'SELECT 1 FROM order_lines WHERE order_id = ? AND quantity > cancelled + shipped + allocated LIMIT 1', [orderId])
  const claimed = await row(tx, `SELECT 1 FROM allocations WHERE order_id = ? AND status = 'open' AND fulfillment_id IS NULL LIMIT 1`, [orderId])
  if (!inside && !open && !claimed) throw refuse('order.change_too_late', { fulfillmentIds: fulfillments.filter((f) => isGone(f) || isInBuilding(f.status)).map((f) => f.fulfillmentId) })
}

/** As they were sold. @throws `order.too_many_lines` */
function needFewLines(lines: readonly LineInPlaces[], added: readonly NewLine[]): void {
  const sold = new Set([...lines.map((l) => l.kit?.lineId ?? l.lineId), ...added.map((l) => l.lineId)]).size
  if (added.length && sold > mostLines) throw refuse('order.too_many_lines', { lines: sold, most: mostLines })
}

/** Kits as their components. @throws `sku.unknown`, `order.totals` */
async function linesToAdd(tx: Transaction, added: readonly NewLine[]): Promise<NewLine[]> {
  const skus = added.map((l) => l.sku)
  const known = new Set((await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [skus])).map((s) => s.sku))
  const unknown = skus.find((sku) => !known.has(sku))
  if (unknown !== undefined) throw refuse('sku.unknown', { sku: unknown })
  const overdone = added.find((l) => l.discountMinor > l.unitPriceMinor * l.quantity)
  if (overdone) throw refuse('order.totals', {}, `Line ${overdone.lineId} has a discount of more than it costs`)
  return withoutKits(added, skus.length ? await kitsAmong(tx, skus) : {})
}

/** @throws `order.address_too_late` once a parcel bears the old address, `order.delivery_too_late` once its price was paid with what has left */
async function needUnaddressed(tx: Transaction, orderId: string, { pays }: { pays: boolean }): Promise<void> {
  const fulfillments = await fulfillmentsOf(tx, orderId)
  const addressed = fulfillments.filter((f) => f.method === 'delivery' && (f.status === 'packed' || isGone(f)))
  if (addressed.length) throw refuse('order.address_too_late', { fulfillmentIds: addressed.map((f) => f.fulfillmentId) })
  const gone = pays ? fulfillments.filter((f) => f.method !== 'transfer' && isGone(f)) : []
  if (gone.length) throw refuse('order.delivery_too_late', tooLate(gone))
}

/** @throws `order.delivery_too_late` once any of it is in a parcel, at the counter or on its way */
async function needUnpacked(tx: Transaction, orderId: string): Promise<void> {
  const late = (await fulfillmentsOf(tx, orderId)).filter((f) => isGone(f) || f.status === 'packed' || f.status === 'ready' || isBetweenNodes(f) || (f.method === 'transfer' && f.status === 'delivered'))
  if (late.length) throw refuse('order.delivery_too_late', tooLate(late))
}

const tooLate = (works: readonly { fulfillmentId: string; status: string }[]): Record<string, unknown> => ({ fulfillmentIds: works.map((f) => f.fulfillmentId), states: [...new Set(works.map((f) => f.status))] })

const dearer = (order: Facts, raises: PlannedChange['raises'], added: readonly NewLine[]): Priced => ({
  ...order,
  lines: [...order.lines.map((l) => raises.filter((r) => r.lineId === l.lineId).reduce((line, { raise }) => withRaise(line, raise), l)), ...added],
})

const paidFor = ({ lines }: Facts): Units[] => lines.map((l) => ({ lineId: l.lineId, quantity: l.paid }))

const changed = (units: readonly Units[], fewer: readonly Units[], raises: PlannedChange['raises'], added: readonly NewLine[]): Units[] => [
  ...units, ...fewer.map((u) => ({ ...u, quantity: -u.quantity })), ...raises.map(({ lineId, raise }) => ({ lineId, quantity: raise.quantity })), ...added,
]

const totalOf = ({ lines, shipping, taxIncluded }: Priced): number =>
  lines.reduce((sum, l) => sum + l.unitPriceMinor * l.quantity - l.discountMinor + (taxIncluded ? 0 : l.taxMinor), shippingMinor({ shipping, taxIncluded }))

const shippingMinor = ({ shipping, taxIncluded }: Omit<Priced, 'lines'>): number => shipping.priceMinor + (taxIncluded ? 0 : (shipping.taxMinor ?? 0))

const factsSql = `
  SELECT shipping, tax_included AS "taxIncluded", ship_to AS "shipTo", delivery,
    (SELECT json_agg(json_build_object('lineId', line_id, 'sku', sku, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised,
        'cancelled', cancelled, 'paid', ${paidUnitsSql}) ORDER BY position) FROM order_lines l WHERE l.order_id = o.order_id) AS lines,
    (SELECT json_agg(json_build_object('tenderId', tender_id, 'amountMinor', ${coversSql}, 'takenElsewhere', ${takenAlreadySql}, 'atOnce', taken_at_once) ORDER BY ${payingSequence('p')}) FROM payments p WHERE order_id = o.order_id AND part = 1) AS tenders,
    (SELECT coalesce(sum(CASE WHEN ${takenAlreadySql} THEN CASE WHEN part = 1 THEN ${coversSql} ELSE captured_minor END
        WHEN op.ends THEN op.asked WHEN status = 'authorized' THEN authorized_minor WHEN status IN ('opened', 'action_required', 'processing') THEN amount_minor ELSE captured_minor END), 0)::int8
     FROM payments p, LATERAL (SELECT coalesce(bool_or(kind = 'void' OR final), false) AS ends, coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0) AS asked FROM payment_operations c
       WHERE c.payment_id = p.payment_id AND c.kind IN ('capture', 'void') AND c.status <> 'abandoned') op WHERE order_id = o.order_id AND part > 0) AS "heldMinor"
  FROM orders o WHERE order_id = ?`
