/** The packages leave the building: goods off the books, the captures recorded that take the money, the carrier to be told. */
import { uuidv7 } from 'uuidv7'
import type { FulfillmentAnswer, HandOver } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import { rows, run, type Transaction } from '../connection'
import { record } from '../events'
import { lockWork, moveFulfillment, refusedMove } from '../fulfillments'
import { refreshOrder, setPartWait } from '../orders'
import { intendCaptures, mayShip, needsRemainder } from '../part-payments'
import { wakeKeptEvents } from '../shipments'
import { ship } from '../stock'
import { markResent } from '../undelivered'

export interface HandOverAsk extends HandOver {
  ifCapture: WaitingOn
  ifPaid: WaitingOn
}
export interface HandOverOutcome extends FulfillmentAnswer {
  at: string
  captures: string[]
  /** What each of them takes, in minor units. */
  capturesMinor: number[]
  manifest: string
  /** The rest of the order is not held any more: `holdRemainder` is due once the captures are made. */
  remainder?: true
}

/** @throws `fulfillment.state`, `fulfillment.label_missing`, `order.not_authorized` */
export async function handOver(tx: Transaction, ask: HandOverAsk): Promise<HandOverOutcome> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (fulfillment.status !== 'packed') throw refusedMove(fulfillment)
  if (!fulfillment.labelled) throw refuse('fulfillment.label_missing', { waitingOn: 'carrier' })
  await markResent(tx, ask.fulfillmentId)
  if (!(await mayShip(tx, orderId, ask.fulfillmentId))) throw refuse('order.not_authorized')
  const at = new Date().toISOString()
  await moveFulfillment(tx, ask.fulfillmentId, 'handed_over', { at })
  await ship(tx, { orderId, fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, actor: ask.actor })
  const { captures, last } = await intendCaptures(tx, orderId, ask.fulfillmentId)
  const remainder = !last && (await needsRemainder(tx, orderId))
  const manifest = await intendManifest(tx, ask.fulfillmentId, orderId, at)
  await record(tx, order, { type: 'shipment.handed_over', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, trackingNumbers: manifest.trackingNumbers } })
  await setPartWait(tx, ask.fulfillmentId, captures.length ? ask.ifCapture : ask.ifPaid)
  await refreshOrder(tx, orderId)
  return { fulfillmentId: ask.fulfillmentId, status: 'handed_over', at, captures: captures.map((c) => c.operationId), capturesMinor: captures.map((c) => c.amountMinor), manifest: manifest.operationId, ...(remainder ? { remainder } : {}) }
}

/** The shipment is on its way: records that the carrier is to be told, and looks again at what it may have reported before we knew. */
async function intendManifest(tx: Transaction, fulfillmentId: string, orderId: string, at: string): Promise<{ operationId: string; trackingNumbers: string[] }> {
  const parcels = await rows<{ carrier: string; trackingNumber: string }>(
    tx,
    'SELECT carrier, tracking_number AS "trackingNumber" FROM packages WHERE fulfillment_id = ? ORDER BY number',
    [fulfillmentId],
  )
  const carrier = parcels[0]!.carrier
  const operationId = uuidv7()
  await run(
    tx,
    `WITH gone AS (UPDATE shipments SET handed_over_at = ? WHERE fulfillment_id = ?)
     INSERT INTO carrier_operations (operation_id, order_id, fulfillment_id, kind, carrier) VALUES (?, ?, ?, 'manifest', ?)`,
    [at, fulfillmentId, operationId, orderId, fulfillmentId, carrier],
  )
  const trackingNumbers = parcels.map((p) => p.trackingNumber)
  await wakeKeptEvents(tx, carrier, trackingNumbers)
  return { operationId, trackingNumbers }
}
