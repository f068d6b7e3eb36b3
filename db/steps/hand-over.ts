/** The packages leave the building: goods off the shelf, the captures recorded that take the money, the carrier to be told. */
import { uuidv7 } from 'uuidv7'
import { ownDriver } from '../../domain/delivery/own-fleet'
import type { FulfillmentAnswer, Gone, HandOver } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import { rows, run, type Transaction } from '../connection'
import { record } from '../events'
import { lockWork, moveFulfillment, refusedMove } from '../fulfillments'
import { refuseIfHeld } from '../holds'
import { refreshOrder, setPartWait } from '../orders'
import { mayShip } from '../part-payments'
import { wakeKeptEvents } from '../shipments'
import { ship } from '../stock'
import { sendAway } from '../transfers'
import { markResent } from '../undelivered'
import { goesAway } from './collect'

export interface HandOverAsk extends HandOver {
  ifCapture: WaitingOn
  ifPaid: WaitingOn
  /** What a transfer to another of our nodes waits on. */
  ifTransfer?: WaitingOn
}
export interface HandOverOutcome extends FulfillmentAnswer, Gone {
  manifest: string
}

/** @throws `fulfillment.state`, `order.held`, `fulfillment.label_missing`, `order.not_authorized` */
export async function handOver(tx: Transaction, ask: HandOverAsk): Promise<HandOverOutcome> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (fulfillment.status !== 'packed' || fulfillment.service === ownDriver) throw refusedMove(fulfillment) // what an own driver brings leaves with his run
  if (!fulfillment.labelled) throw refuse('fulfillment.label_missing', { waitingOn: 'carrier' })
  await refuseIfHeld(tx, order, 'shipping')
  const staysOurs = fulfillment.method === 'transfer'
  if (!staysOurs) await markResent(tx, ask.fulfillmentId)
  if (!staysOurs && !(await mayShip(tx, orderId, ask.fulfillmentId))) throw refuse('order.not_authorized')
  const at = new Date().toISOString()
  await moveFulfillment(tx, ask.fulfillmentId, 'handed_over', { at })
  const leaving = { orderId, fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, actor: ask.actor }
  await (staysOurs ? sendAway(tx, leaving) : ship(tx, leaving))
  const gone: Gone = staysOurs ? { at, captures: [], capturesMinor: [] } : await goesAway(tx, orderId, ask.fulfillmentId, at)
  const manifest = await intendManifest(tx, ask.fulfillmentId, orderId, at)
  await record(tx, order, { type: 'shipment.handed_over', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, ...(staysOurs && { toNodeId: fulfillment.toNodeId }), trackingNumbers: manifest.trackingNumbers } })
  await setPartWait(tx, ask.fulfillmentId, gone.captures.length ? ask.ifCapture : staysOurs ? ask.ifTransfer! : ask.ifPaid)
  await refreshOrder(tx, orderId)
  return { fulfillmentId: ask.fulfillmentId, status: 'handed_over', ...gone, manifest: manifest.operationId }
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
