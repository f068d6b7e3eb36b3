/** What an outside fact does to our rows. The row is dealt with in one transaction with the fact's own row, so it is applied once; the workflow is told only what changes its decisions. */
import { afterReport, isParcelStatus, type ParcelStatus } from '../domain/delivery/tracking'
import { addsNothing, isSettled, type PaymentView } from '../domain/payment/view'
import type { EventType } from '../domain/events'
import type { CarrierReported } from '../domain/messages'
import type { WaitingOn } from '../domain/order/status'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, type OrderEvent } from './events'
import { moveFulfillment } from './fulfillments'
import { rememberTelling, settleFact, type InboundFact, type Telling } from './inbox'
import { lockOrderOfParcel, refreshOrder, type OrderRow } from './orders'
import { applyView, type PaymentNews } from './payments'
import { applyReturnParcel } from './return-facts'
import { arrive, endUndelivered, findTracked, type TrackedPackage } from './shipments'
import { deadlineOf, isUndelivered, remedy, type Remedy } from './undelivered'
import { openException } from './waiting'

/** The provider reported a payment. A webhook that only confirms what we recorded ourselves changes nothing and takes no lock. */
export async function applyPaymentFact(db: Db, fact: InboundFact): Promise<Telling | undefined> {
  const { paymentId, view } = fact.payload as { paymentId?: string; view: PaymentNews & { reference: string } }
  const payment = await findPayment(db, paymentId, view.reference)
  if (!payment) return void (await settleFact(db, fact, 'done', 'no payment of ours'))
  if (addsNothing(payment, view)) return void (await settleFact(db, fact, 'done', 'nothing new'))
  return db.transaction(async (tx) => {
    const { view: merged, changed, order } = await applyView(tx, payment.paymentId, view)
    // A cancelled order waits only for what its bank had under way; taken money matters where it comes instead of a hold.
    const pending = payment.status === 'action_required' || payment.status === 'processing'
    const matters = changed && (pending || order.stage !== 'cancelled') && isSettled(merged.status) && (pending || merged.status !== 'captured')
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
    if (!order) return ofReturn(tx, fact)
    const parcel = (await findTracked(tx, carrier, fact.subject))!
    if (['cancelled', 'rejected'].includes(parcel.work)) return endWithCancelled(tx, order, parcel, fact)
    if (!parcel.handedOver) return keep(tx, fact, 'not handed over yet')
    if (parcel.undelivered !== null) return turnedUp(tx, order, parcel, fact)
    return finish(tx, fact, await applyReport(tx, order, parcel, fact), 'applied')
  })

/** No parcel of ours to a customer: perhaps one of hers to us. */
async function ofReturn(tx: Transaction, fact: InboundFact): Promise<Telling | undefined> {
  const applied = await applyReturnParcel(tx, fact)
  return applied ? finish(tx, fact, applied.telling, applied.outcome) : keep(tx, fact, 'unknown tracking number')
}

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

/** A label that was given back travels nowhere; if its parcel does all the same, somebody has to find out which goods are in it. */
async function endWithCancelled(tx: Transaction, order: OrderRow, parcel: TrackedPackage, fact: InboundFact): Promise<undefined> {
  if ((fact.payload as { status: string }).status !== 'label_created') {
    const summary = 'The carrier moves a parcel of a shipment that was cancelled: find out what is in it and call it back'
    await openException(tx, { ...order, kind: 'shipment.not_expected', subject: parcel.packageId, owner: 'operations', summary, data: { ...fact.payload, trackingNumber: fact.subject }, deadline: deadlineOf(order.policy.parcels) })
  }
  await settleFact(tx, fact, 'done', `the shipment was ${parcel.work}`)
  return undefined
}

/** What was given up and dealt with is somewhere after all. Goods and money have moved on, so a person decides what becomes of it. */
async function turnedUp(tx: Transaction, order: OrderRow, parcel: TrackedPackage, fact: InboundFact): Promise<undefined> {
  const { status } = fact.payload as { status: string }
  if (status === 'delivered' || (status === 'returned' && parcel.undelivered !== 'returned')) {
    const summary = status === 'delivered' ? 'A parcel that was given up has been delivered: withdraw the claim, settle with the customer' : 'A parcel that was given up comes back: receive the goods, withdraw the claim'
    await openException(tx, { ...order, kind: 'shipment.turned_up', subject: parcel.packageId, owner: 'support', summary, data: { status, was: parcel.undelivered, trackingNumber: fact.subject }, deadline: deadlineOf(order.policy.parcels) })
  }
  await settleFact(tx, fact, 'done', `given up before: ${parcel.undelivered}`)
  return undefined
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
  const told = await followParcel(tx, order, parcel, { status: next, at, actor: fact.source, trackingNumber: fact.subject })
  return told && tellingOf(order, 'carrierReported', told)
}

export interface ParcelNews {
  status: ParcelStatus
  at: string
  /** `carrier:swiftparcel`, or the driver. */
  actor: string
  trackingNumber: string
}

/** A parcel has come further, or to its end: told, remedied where it never arrives, and its shipment with it. @returns what the order's workflow has to hear */
export async function followParcel(tx: Transaction, order: OrderRow, parcel: TrackedPackage, { status, at, actor, trackingNumber }: ParcelNews): Promise<CarrierReported | undefined> {
  await run(tx, 'UPDATE packages SET status = ? WHERE package_id = ?', [status, parcel.packageId])
  const told = eventOf[status]
  if (told) await record(tx, order, { type: told, actor, data: { trackingNumber, status, at } } satisfies OrderEvent)
  if (isTrouble(status)) await reportTrouble(tx, order, parcel, status)
  const done = isUndelivered(status) ? await remedy(tx, order, parcel, status) : undefined
  return followShipment(tx, order, parcel, { at, done })
}

const eventOf: Partial<Record<ParcelStatus, EventType>> = {
  in_transit: 'shipment.in_transit',
  out_for_delivery: 'shipment.out_for_delivery',
  delivered: 'shipment.delivered',
  exception: 'shipment.troubled',
  address_unknown: 'shipment.troubled',
  damaged: 'shipment.troubled',
  returning: 'shipment.troubled',
  lost: 'shipment.troubled',
  returned: 'shipment.troubled',
}

/** The shipment follows its parcels: on the way with the first scan, at its end with the last of them. */
async function followShipment(tx: Transaction, order: OrderRow, parcel: TrackedPackage, { at, done }: { at: string; done: Remedy | undefined }): Promise<CarrierReported | undefined> {
  const packages = await rows<{ status: ParcelStatus; undelivered: 'lost' | 'damaged' | 'returned' | null }>(tx, 'SELECT status, undelivered FROM packages WHERE fulfillment_id = ?', [parcel.fulfillmentId])
  const trouble = done && { packageId: done.packageId, reship: done.remedy === 'reship', ...(done.refunds.length > 0 && { refunds: done.refunds }), ...(done.claim && { claim: done.claim }) }
  const { fulfillmentId } = parcel
  const tell = (status: CarrierReported['status'], waits: CarrierReported['waits']): CarrierReported => ({ fulfillmentId, status, at, waits, ...(trouble && { trouble }) })
  if (packages.every((p) => p.undelivered !== null)) {
    const to = packages.every((p) => p.undelivered === 'returned') ? 'returned' : 'lost'
    await run(tx, 'UPDATE shipments SET status = ? WHERE shipment_id = ?', [to, parcel.shipmentId])
    await endUndelivered(tx, fulfillmentId, to, at)
    return tell(to, await afterLoss(tx, order, at, trouble?.reship ?? false, fulfillmentId))
  }
  if (packages.every((p) => p.status === 'delivered' || p.undelivered !== null)) {
    await run(tx, `UPDATE shipments SET status = 'delivered', delivered_at = ? WHERE shipment_id = ?`, [at, parcel.shipmentId])
    if (parcel.method === 'transfer') return void (await refreshOrder(tx, order.orderId)) // the other node has still to take it in
    const waits = await arrive(tx, order, { fulfillmentId, to: 'delivered', at })
    return tell('delivered', trouble?.reship ? { ...waits, ...(await afterLoss(tx, order, at, true, fulfillmentId)) } : waits)
  }
  const least = packages.map((p) => p.status).find((status) => status !== 'delivered') ?? 'delivered'
  await run(tx, 'UPDATE shipments SET status = ? WHERE shipment_id = ?', [least, parcel.shipmentId])
  if (parcel.work === 'handed_over') await moveFulfillment(tx, fulfillmentId, 'in_transit')
  if (trouble) return tell('handed_over', await afterLoss(tx, order, at, trouble.reship, fulfillmentId))
  await refreshOrder(tx, order.orderId)
  return undefined
}

/** What is sent again needs a node; what is not leaves nothing to wait for. */
async function afterLoss(tx: Transaction, order: OrderRow, at: string, reship: boolean, fulfillmentId: string): Promise<CarrierReported['waits']> {
  const sourcing: WaitingOn | undefined = reship ? { what: 'sourcing', since: at, deadline: null } : undefined
  await refreshOrder(tx, order.orderId, sourcing)
  const part = await row<{ wait: WaitingOn | null }>(tx, 'SELECT waiting_on AS wait FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId])
  return { part: part!.wait, ...(sourcing && { order: sourcing }) }
}

/** News that a person should know of. */
const troubles = {
  exception: 'The carrier reports a problem with a parcel',
  address_unknown: 'The carrier cannot find the address: ask the customer and tell the carrier',
  damaged: 'The carrier has damaged a parcel',
  lost: 'The carrier has lost a parcel',
  returning: 'The carrier brings a parcel back',
  returned: 'The carrier has brought a parcel back',
} as const satisfies Partial<Record<ParcelStatus, string>>
const isTrouble = (status: ParcelStatus): status is keyof typeof troubles => status in troubles

/** A parcel in trouble waits on a person, who finds it in the exception queue. */
async function reportTrouble(tx: Transaction, order: OrderRow, parcel: TrackedPackage, status: keyof typeof troubles): Promise<void> {
  await openException(tx, {
    ...order,
    kind: 'shipment.troubled',
    subject: parcel.packageId,
    owner: 'support',
    summary: troubles[status],
    data: { packageId: parcel.packageId, fulfillmentId: parcel.fulfillmentId, status },
    deadline: deadlineOf(order.policy.parcels),
  })
}
