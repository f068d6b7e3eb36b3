/** Everything an order can be told while it lives. Commands are refused by a validator where the story already knows better, and checked again on the rows. */
import { CancellationScope, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow'
import { hasLeft } from '../../domain/fulfillment/moves'
import {
  orderStateQuery, signals, updates,
  type CancelOrder, type CancelOrderAnswer, type CancelOrderSignal, type CarrierReported, type ExceptionRetried, type FulfillmentAnswer, type HandOver,
  type OrderState, type PackFulfillment, type PaymentReported, type RejectLines, type StockArrived,
} from '../../domain/messages'
import type { PaymentState } from '../../domain/payment/view'
import type { CancelOutcome } from '../../db/steps/cancel-order'
import { step } from '../support/activities'
import { answering, refusalIn, refusing } from '../support/failures'
import { labelsOrEnd } from './delivery'
import { show } from './show'
import { waiting, waitingOn, waits, workOf, type Thread, type Work } from './thread'

const cancelOrder = defineUpdate<CancelOrderAnswer, [CancelOrder]>(updates.cancelOrder)
const packFulfillment = defineUpdate<FulfillmentAnswer, [PackFulfillment]>(updates.packFulfillment)
const reportRejection = defineUpdate<FulfillmentAnswer, [RejectLines]>(updates.reportRejection)
const handOver = defineUpdate<FulfillmentAnswer, [HandOver]>(updates.handOver)
const cancelOrderSignal = defineSignal<[CancelOrderSignal?]>(signals.cancelOrder)
const paymentReported = defineSignal<[PaymentReported]>(signals.paymentReported)
const carrierReported = defineSignal<[CarrierReported]>(signals.carrierReported)
const exceptionRetried = defineSignal<[ExceptionRetried]>(signals.exceptionRetried)
const stockArrived = defineSignal<[StockArrived]>(signals.stockArrived)
const orderState = defineQuery<OrderState>(orderStateQuery)

/** Registers every handler; to be called before the first await, so that nothing sent early is lost. */
export function listen(thread: Thread): void {
  hearCancellation(thread)
  setHandler(cancelOrder, (ask) => cancel(thread, ask), {
    description: 'Cancel the whole order while it is in the building. Answers once the stock is free; the money follows.',
    validator: (_ask: CancelOrder) => refuseIfGone(thread),
  })
  setHandler(packFulfillment, (ask) => pack(thread, ask), {
    description: 'Picked goods are in boxes. Answers when the carrier has given labels.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(reportRejection, (ask) => reject(thread, ask), {
    description: 'The node cannot fill (part of) it; the order goes to another node.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(handOver, (ask) => leave(thread, ask), {
    description: 'The packages have left the building. Needs a valid authorisation; the capture follows.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(cancelOrderSignal, (ask) => cancelFromUi(thread, ask ?? {}), {
    description: 'For support, from the Temporal UI: {"reason": "…", "actor": "…"}. Done like the update; a refusal shows on the timeline and in the exception queue.',
  })
  setHandler(paymentReported, ({ paymentId, status }) => void (thread.payments[paymentId] = status as PaymentState), {
    description: 'The provider reported a payment; its row is already up to date.',
  })
  setHandler(carrierReported, (fact) => hearCarrier(thread, fact), { description: 'The carrier reported a parcel; its row is already up to date.' })
  setHandler(exceptionRetried, () => void (thread.nudges += 1), { description: 'Somebody pressed retry: whatever waits is tried again now.' })
  setHandler(stockArrived, () => void (thread.nudges += 1), { description: 'Stock has come that the order waits for: it looks again now.' })
  setHandler(orderState, () => state(thread), { description: 'What the workflow itself believes.' })
}

/** The Cancel button of the Temporal UI asks for the same as support's signal: the order is cancelled properly, or goes on and says why. */
function hearCancellation(thread: Thread): void {
  CancellationScope.current().cancelRequested.catch(() => cancelFromUi(thread, { messageId: 'cancel-button' }))
}

const cancel = (thread: Thread, ask: CancelOrder): Promise<CancelOrderAnswer> =>
  thread.lock(async () => {
    refuseIfGone(thread)
    const outcome = await answering(() => step('Cancel the order').cancelOrder({ ...ask, orderId: thread.start.orderId }))
    thread.cancelled = { outcome, reason: ask.reason }
    stopAll(thread, outcome)
    thread.story.cancel()
    return { cancelledAt: outcome.cancelledAt }
  })

/** What a cancellation does to the story's own picture of the parts. */
export function stopAll(thread: Thread, { voids, cancelledAt }: CancelOutcome): void {
  for (const work of thread.works.filter((w) => !hasLeft(w.status))) {
    work.status = 'cancelled'
    waits(work, null)
  }
  waits(thread.whole, voids.length ? { what: 'void', since: cancelledAt, deadline: null } : null)
}

async function cancelFromUi(thread: Thread, { reason = 'cancelled from the Temporal UI', actor = 'support', messageId = 'ui' }: CancelOrderSignal): Promise<void> {
  const signed = { actor: `support:${actor}`, messageId }
  try {
    await cancel(thread, { commandId: `signal:${messageId}`, reason, actor: signed.actor })
  } catch (cause) {
    const refusal = refusalIn(cause)
    if (!refusal) throw cause
    const data = (refusal.details?.[0] ?? {}) as Record<string, unknown>
    const note = { orderId: thread.start.orderId, ...signed, code: refusal.type, data }
    await thread.lock(() => step(`Note that the cancellation was refused: ${refusal.type}`).noteRefusedCancel(note))
  }
}

async function pack(thread: Thread, ask: PackFulfillment): Promise<FulfillmentAnswer> {
  const work = await thread.lock(async () => {
    const packing = openWork(thread, ask.fulfillmentId)
    const label = waiting('label', null)
    const answer = await answering(() => step(`Pack into ${ask.packages.length} ${ask.packages.length === 1 ? 'package' : 'packages'}`).packFulfillment({ ...ask, waitingOn: label }))
    Object.assign(packing, { status: answer.status, carrier: answer.carrier })
    waits(packing, label)
    return packing
  })
  await labelsOrEnd(thread, work)
  if (thread.cancelled) throw refusing('order.already_cancelled', { state: 'cancelled' })
  return { fulfillmentId: work.fulfillmentId, status: work.status }
}

const reject = (thread: Thread, ask: RejectLines): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId)
    const sourcing = waiting('sourcing', null)
    const answer = await answering(() => step(`${work.nodeId} rejects it`).rejectFulfillment({ ...ask, waitingOn: sourcing }))
    if (answer.status === 'rejected') {
      work.status = 'rejected'
      waits(work, null)
    }
    waits(thread.whole, sourcing)
    thread.toSource = true
    thread.nudges += 1
    return answer
  })

const leave = (thread: Thread, ask: HandOver): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId)
    const ifCapture = waiting('capture', null)
    const ifPaid = waiting('delivery', thread.start.policy.last_mile.deliverWithin)
    const { at, captures, capturesMinor, manifest, remainder, ...answer } = await answering(() => step('Hand over').handOver({ ...ask, ifCapture, ifPaid }))
    Object.assign(work, { status: 'handed_over', handOver: { at, captures, capturesMinor, manifest, remainder } })
    waits(work, captures.length ? ifCapture : ifPaid)
    return answer
  })

function hearCarrier(thread: Thread, { fulfillmentId, status, at, waits: since }: CarrierReported): void {
  const work = workOf(thread, fulfillmentId)
  if (!work) return
  work.status = status
  if (status === 'delivered') work.deliveredAt ??= at
  work.rowWait = since.part
  if (since.part === null) work.wait = null
  if (since.order) waits(thread.whole, since.order)
  show(thread)
}

function refuseIfGone(thread: Thread): void {
  const gone = thread.works.filter((w) => hasLeft(w.status))
  if (gone.length) throw refusing('order.already_handed_over', { fulfillmentIds: gone.map((w) => w.fulfillmentId), instead: 'return' })
  if (thread.cancelled) throw refusing('order.already_cancelled', { state: 'cancelled' })
}

function refuseUnlessOpen(thread: Thread, fulfillmentId: string): void {
  openWork(thread, fulfillmentId)
}

/** @throws when the order was cancelled, or the fulfillment is none of this order's or has come to an end. */
function openWork(thread: Thread, fulfillmentId: string): Work {
  if (thread.cancelled) throw refusing('fulfillment.state', { state: 'cancelled', allowedActions: [] })
  const work = workOf(thread, fulfillmentId)
  if (!work) throw refusing('fulfillment.unknown')
  if (work.status !== 'released' && work.status !== 'packed') throw refusing('fulfillment.state', { state: work.status, allowedActions: [] })
  return work
}

const state = (thread: Thread): OrderState => ({
  orderId: thread.start.orderId,
  chapter: thread.chapter,
  waitingOn: waitingOn(thread),
  payments: thread.payments,
  fulfillments: Object.fromEntries(thread.works.map((w) => [w.fulfillmentId, w.status])),
  ending: thread.ending,
})
