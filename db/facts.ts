/** What an outside fact does to our rows. The row is dealt with in one transaction with the fact's own row, so it is applied once; the workflow is told only what changes its decisions. */
import { afterReport, isParcelStatus, type ParcelStatus } from '../domain/delivery/tracking'
import { addsNothing, isSettled, type PaymentView } from '../domain/payment/view'
import type { EventType } from '../domain/events'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, type OrderEvent } from './events'
import { moveFulfillment } from './fulfillments'
import { rememberTelling, settleFact, type InboundFact, type Telling } from './inbox'
import { lockOrderOfParcel, refreshOrder, type OrderRow } from './orders'
import { applyView, type PaymentNews } from './payments'
import { arrive, findTracked, type TrackedPackage } from './shipments'
import { openException } from './waiting'

/** The provider reported a payment. A webhook that only confirms what we recorded ourselves changes nothing and takes no lock. */
export async function applyPaymentFact(db: Db, fact: InboundFact): Promise<Telling | undefined> {
  const { paymentId, view } = fact.payload as { paymentId?: string; view: PaymentNews & { reference: string } }
  const payment = await findPayment(db, paymentId, view.reference)
  if (!payment) return void (await settleFact(db, fact, 'done', 'no payment of ours'))
  if (addsNothing(payment, view)) return void (await settleFact(db, fact, 'done', 'nothing new'))
  return db.transaction(async (tx) => {
    const { view: merged, changed, order } = await applyView(tx, payment.paymentId, view)
    const matters = changed && order.stage === 'open' && isSettled(merged.status) && merged.status !== 'captured'
    const telling = matters ? tellingOf(order, 'paymentReported', { paymentId: payment.paymentId, status: merged.status }) : undefined
    return finish(tx, fact, telling, changed ? `payment is ${merged.status}` : 'nothing new')
  })
}

const findPayment = (db: Db, paymentId: string | undefined, reference: string): Promise<(PaymentView & { paymentId: string }) | undefined> =>
  row(
    db,
    `SELECT payment_id AS "paymentId", status, authorized_minor AS "authorizedMinor", captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor"
     FROM payments WHERE reference = ? OR payment_id = ?::uuid LIMIT 1`,
    [reference, isUuid(paymentId) ? paymentId : null],
  )

/** Metadata at the provider is ours by habit only: somebody else's payment may carry anything there. */
const isUuid = (text: string | undefined): text is string => text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/** The carrier reported a parcel. A report of a parcel that we have not handed over yet is kept until we have. */
export const applyCarrierFact = (db: Db, fact: InboundFact): Promise<Telling | undefined> =>
  db.transaction(async (tx) => {
    const carrier = fact.source.slice('carrier:'.length)
    const order = await lockOrderOfParcel(tx, carrier, fact.subject)
    if (!order) return keep(tx, fact, 'unknown tracking number')
    const parcel = (await findTracked(tx, carrier, fact.subject))!
    if (!parcel.handedOver) return keep(tx, fact, 'not handed over yet')
    return finish(tx, fact, await applyReport(tx, order, parcel, fact), 'applied')
  })

const tellingOf = (order: OrderRow, signal: Telling['signal'], fact: Telling['fact']): Telling => ({
  channel: order.channel,
  channelOrderId: order.channelOrderId,
  signal,
  fact,
})

/** Applied in the rows; done unless the workflow has to hear of it. */
async function finish(tx: Transaction, fact: InboundFact, telling: Telling | undefined, outcome: string): Promise<Telling | undefined> {
  if (telling) await rememberTelling(tx, fact, telling, outcome)
  else await settleFact(tx, fact, 'done', outcome)
  return telling
}

async function keep(tx: Transaction, fact: InboundFact, why: string): Promise<undefined> {
  await settleFact(tx, fact, 'kept', why)
  return undefined
}

async function applyReport(tx: Transaction, order: OrderRow, parcel: TrackedPackage, fact: InboundFact): Promise<Telling | undefined> {
  const { status, at } = fact.payload as { status: string; at: string }
  const known = parcel.status as ParcelStatus
  const next = isParcelStatus(status) ? afterReport(known, status) : known
  if (next === known) return undefined
  await run(tx, 'UPDATE packages SET status = ? WHERE package_id = ?', [next, parcel.packageId])
  const told = eventOf[next]
  if (told) await record(tx, order, { type: told, actor: `carrier:${fact.source.slice('carrier:'.length)}`, data: { trackingNumber: fact.subject, status: next, at } } satisfies OrderEvent)
  if (next === 'exception' || next === 'lost' || next === 'returned') await reportTrouble(tx, order, parcel, next)
  return followShipment(tx, order, parcel, at)
}

const eventOf: Partial<Record<ParcelStatus, EventType>> = {
  in_transit: 'shipment.in_transit',
  out_for_delivery: 'shipment.out_for_delivery',
  delivered: 'shipment.delivered',
  exception: 'shipment.troubled',
  lost: 'shipment.troubled',
  returned: 'shipment.troubled',
}

/** The shipment follows its parcels: on the way with the first scan, delivered with the last door. */
async function followShipment(tx: Transaction, order: OrderRow, parcel: TrackedPackage, at: string): Promise<Telling | undefined> {
  const statuses = await rows<{ status: ParcelStatus }>(tx, 'SELECT status FROM packages WHERE fulfillment_id = ?', [parcel.fulfillmentId])
  if (statuses.every((p) => p.status === 'delivered')) {
    await run(tx, `UPDATE shipments SET status = 'delivered', delivered_at = ? WHERE shipment_id = ?`, [at, parcel.shipmentId])
    if (parcel.method === 'transfer') return void (await refreshOrder(tx, order.orderId)) // the other node has still to take it in
    const waits = await arrive(tx, order, { fulfillmentId: parcel.fulfillmentId, to: 'delivered', at })
    return tellingOf(order, 'carrierReported', { fulfillmentId: parcel.fulfillmentId, status: 'delivered', at, waits })
  }
  const least = statuses.map((p) => p.status).find((s) => s !== 'delivered') ?? 'delivered'
  await run(tx, 'UPDATE shipments SET status = ? WHERE shipment_id = ?', [least, parcel.shipmentId])
  if (parcel.work === 'handed_over') await moveFulfillment(tx, parcel.fulfillmentId, 'in_transit')
  await refreshOrder(tx, order.orderId)
  return undefined
}

/** A parcel in trouble waits on a person, who finds it in the exception queue. */
async function reportTrouble(tx: Transaction, order: OrderRow, parcel: TrackedPackage, status: ParcelStatus): Promise<void> {
  const summary = { exception: 'The carrier reports a problem with a parcel', lost: 'The carrier has lost a parcel', returned: 'The carrier brings a parcel back' }[status as 'exception' | 'lost' | 'returned']
  await openException(tx, {
    ...order,
    kind: 'shipment.troubled',
    subject: parcel.packageId,
    owner: 'support',
    summary,
    data: { packageId: parcel.packageId, fulfillmentId: parcel.fulfillmentId, status },
  })
}
