/**
 * Carries out a change, in one transaction under the order's lock: lines grow, what was reserved is claimed, work orders that are not packed take the new units in, and what is given up
 * is cancelled. Whoever picks hears of both.
 */
import type { ChangeOrder } from '../../domain/messages'
import type { NewLine } from '../../domain/order/new-order'
import { invariant } from '../../domain/invariant'
import type { PlannedShipment, SourcingDecision } from '../../domain/sourcing/decision'
import { writeAudit } from '../audit'
import { linesInPlaces } from '../cancellable'
import { run, type Transaction } from '../connection'
import { record } from '../events'
import { extendWork, openWorkAt } from '../fulfillments'
import type { AfterSale } from '../open-lines'
import { keepPromise, promiseWithMore } from '../order-promise'
import { keepFirstVersion, keepVersion } from '../order-versions'
import { refreshOrder, type OrderRow } from '../orders'
import { intendSmallVoids, needsRemainder } from '../part-payments'
import { givingBack, rehearse, type GivenBack } from '../rehearsal'
import { holdsStill, takeHold } from '../reservations'
import { claimPlanned, keepDecision } from '../sourcing'
import { refundCheaper } from '../taken-at-once'
import { cancelWanted, giveBackWanted, type LinesCancelled } from './cancel-lines'
import { moveGoods, writeRoute, type Moved } from './move-order'
import { planStock, type PlannedChange } from './plan-change'

export interface ChangeCarriedOut extends LinesCancelled {
  /** Units wait for a work order, or for a node. */
  toSource?: true
  /** The money for what has still to leave is not all held any more. */
  remainder?: true
}

/** @throws `stock.short` when what was reserved is gone because its time was over */
export async function carryOut(tx: Transaction, order: OrderRow, planned: PlannedChange, ask: ChangeOrder & { reserved: SourcingDecision | null; operations: readonly string[]; after?: AfterSale }): Promise<ChangeCarriedOut> {
  const { orderId } = order
  await keepFirstVersion(tx, orderId)
  await growLines(tx, orderId, planned)
  const { stopped, toSource } = await supply(tx, order, planned, ask)
  await record(tx, order, { type: 'order.changed', actor: ask.actor, data: { changeId: ask.changeId, operations: ask.operations } })
  await writeAudit(tx, { actor: ask.actor, action: 'order.change', subject: orderId, cause: ask.changeId })
  const done = await giveUp(tx, order, planned, ask)
  const remainder = planned.money.deltaMinor > 0 && (await needsRemainder(tx, orderId))
  const small = remainder ? (await intendSmallVoids(tx, orderId)).map((v) => v.operationId) : []
  return { ...done, stopped: [...stopped, ...done.stopped], voids: [...done.voids, ...small], ...(toSource && { toSource }), ...(remainder && { remainder }) }
}

/** Stock for what is new, or for all of it where it goes elsewhere. */
async function supply(tx: Transaction, order: OrderRow, planned: PlannedChange, ask: Claiming): Promise<Moved> {
  const { route, more } = planned
  if (!route?.isElsewhere) {
    if (route) await writeRoute(tx, order, route)
    return { stopped: [], toSource: more.length > 0 && (await claimMore(tx, order, planned, ask)) }
  }
  const moved = await moveGoods(tx, order, { ...planned, route }, ask)
  await writeRoute(tx, order, route)
  return moved
}

interface Claiming {
  changeId: string
  actor: string
  reserved: SourcingDecision | null
  after?: AfterSale
}

/** What the order is worth less is given back where it was taken already. */
async function giveUp(tx: Transaction, order: OrderRow, { fewer, shippingDropMinor }: PlannedChange, ask: ChangeOrder): Promise<LinesCancelled> {
  const cause = `change ${ask.changeId}`
  const refunds = shippingDropMinor > 0 ? await refundCheaper(tx, order, shippingDropMinor, `cheaper:${ask.changeId}`) : []
  if (fewer.length) {
    const done = await cancelWanted(tx, order, { lines: await linesInPlaces(tx, order.orderId), wanted: fewer }, { ...ask, reason: cause })
    return { ...done, ...(refunds.length > 0 && { refunds: [...refunds, ...(done.refunds ?? [])] }) }
  }
  await keepVersion(tx, order.orderId, { actor: ask.actor, cause })
  await refreshOrder(tx, order.orderId)
  return { cancelledAt: new Date().toISOString(), stopped: [], voids: [], ...(refunds.length > 0 && { refunds }) }
}

/** What carrying it out would give back, nothing done: it is rehearsed but for goods and work, which move no money. */
export async function givenBackBy(tx: Transaction, order: OrderRow, planned: PlannedChange, actor: string): Promise<GivenBack> {
  if (planned.fewer.length === 0 && planned.shippingDropMinor === 0) return { refundMinor: 0, elsewhereMinor: 0, countedMinor: 0, owedMinor: 0 }
  return rehearse(tx, (inner) =>
    givingBack(inner, order.orderId, async () => {
      await growLines(inner, order.orderId, planned)
      if (planned.route) await writeRoute(inner, order, planned.route)
      const { fewer, shippingDropMinor, raises, added } = planned
      if (shippingDropMinor > 0) await refundCheaper(inner, order, shippingDropMinor, 'rehearsed')
      if (fewer.length) await giveBackWanted(inner, order, { lines: raises.length + added.length ? await linesInPlaces(inner, order.orderId) : planned.lines, wanted: fewer }, { commandId: '', reason: 'rehearsed', actor })
    }),
  )
}

async function growLines(tx: Transaction, orderId: string, { raises, added, growsMinor }: PlannedChange): Promise<void> {
  for (const { lineId, raise } of raises)
    await run(tx, `UPDATE order_lines SET quantity = quantity + ?, tax_minor = tax_minor + ?, raised = raised || ?::jsonb WHERE order_id = ? AND line_id = ?`, [
      raise.quantity, raise.taxMinor, JSON.stringify([raise]), orderId, lineId,
    ])
  if (added.length) await insertLines(tx, orderId, added)
  if (growsMinor !== 0) await run(tx, 'UPDATE orders SET total_minor = total_minor + ? WHERE order_id = ?', [growsMinor, orderId])
}

const insertLines = (tx: Transaction, orderId: string, lines: readonly NewLine[]): Promise<void> =>
  run(
    tx,
    `INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price_minor, discount_minor, tax_minor, kit)
     SELECT o.order_id, "lineId", last + position, sku, quantity, "unitPriceMinor", "discountMinor", "taxMinor", kit
     FROM (SELECT order_id, max(position) AS last FROM order_lines WHERE order_id = ? GROUP BY 1) o, jsonb_to_recordset(?::jsonb)
       AS l("lineId" text, position int, sku text, quantity int, "unitPriceMinor" bigint, "discountMinor" bigint, "taxMinor" bigint, kit jsonb)`,
    [orderId, JSON.stringify(lines.map((l, i) => ({ ...l, position: i + 1 })))],
  )

/** What was reserved becomes a claim of the order; where its time was over, what can be had now. @returns whether some of it has no work order yet */
async function claimMore(tx: Transaction, order: OrderRow, { more }: PlannedChange, { changeId, actor, reserved, after }: Claiming): Promise<boolean> {
  const { orderId, channel } = order
  const held = reserved?.chosen && (await holdsStill(tx, changeId))
  await takeHold(tx, { quoteId: changeId, skus: more.map((l) => l.sku), actor })
  const decision = held ? reserved : await planStock(tx, order, more)
  const { shipments } = decision.chosen!
  await claimPlanned(tx, { orderId, channel, shipments, actor })
  await keepDecision(tx, orderId, decision, order.policy.versions.sourcing)
  const promise = after && (await promiseWithMore(tx, order, shipments, after))
  if (promise) await keepPromise(tx, orderId, promise)
  let waits = false
  for (const shipment of shipments) if (!(await joinWork(tx, order, shipment, actor))) waits = true
  return waits
}

/** The units are picked with the rest that is picked there. */
async function joinWork(tx: Transaction, order: OrderRow, { nodeId, lines }: PlannedShipment, actor: string): Promise<boolean> {
  const work = await openWorkAt(tx, order.orderId, nodeId)
  if (!work) return false
  const units = await extendWork(tx, { orderId: order.orderId, nodeId, fulfillmentId: work.fulfillmentId, lineIds: lines.map((l) => l.lineId) })
  invariant(units === lines.reduce((sum, l) => sum + l.quantity, 0), `what was claimed at ${nodeId} joins ${work.fulfillmentId}`)
  await record(tx, order, {
    type: 'fulfillment.extended',
    actor,
    data: { fulfillmentId: work.fulfillmentId, nodeId, status: work.status === 'picked' ? 'picking' : work.status, lines: lines.map(({ lineId, sku, quantity }) => ({ lineId, sku, quantity })), ...(work.assignee !== null && { assignee: work.assignee }) },
  })
  return true
}
