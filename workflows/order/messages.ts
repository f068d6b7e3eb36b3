/** Everything an order can be told while it lives. Commands are refused by a validator where the story already knows better, and checked again on the rows. */
import { CancellationScope, defineQuery, defineSignal, defineUpdate, patched, setHandler as answerTo } from '@temporalio/workflow'
import { isGone } from '../../domain/fulfillment/moves'
import {
  orderStateQuery, signals, updates,
  type CancelLines, type CancelOrder, type CancelOrderAnswer, type CancelOrderSignal, type CarrierReported, type ChangeOrder, type Collect, type ExceptionRetried, type FulfillmentAnswer, type HandOver, type HoldExpires,
  type MakeReady, type MoneyUnwanted, type OrderState, type PackFulfillment, type PaymentReported, type ReceiveTransfer, type RejectLines, type RunReported, type StockArrived, type StockTakenBack,
} from '../../domain/messages'
import { insteadOfCancelling } from '../../domain/order/cancellation'
import type { PaymentState } from '../../domain/payment/view'
import type { WorkMoved } from '../../db/steps/source-order'
import { asked, step } from '../support/activities'
import { now } from '../support/clock'
import { answering, refusalIn, refusing } from '../support/failures'
import { setHandler } from '../support/handlers'
import { listenForOthers } from './again'
import { change } from './change'
import { labelsOrEnd, wentBack } from './delivery'
import { endStopped, fewerUnits, refuseIfCancelled, stopStory } from './fewer'
import { listenForHolds } from './holds'
import { listenForMethods } from './method'
import { dropMoney } from './payment'
import { listenForRefunds } from './refunds'
import { listenForReturns } from './returns'
import { show } from './show'
import { newWorks } from './sourcing'
import { waiting, waitingOn, waits, workOf, type Thread, type Work } from './thread'

const cancelOrder = defineUpdate<CancelOrderAnswer, [CancelOrder]>(updates.cancelOrder)
const cancelLines = defineUpdate<CancelOrderAnswer, [CancelLines]>(updates.cancelLines)
const changeOrder = defineUpdate<CancelOrderAnswer, [ChangeOrder]>(updates.changeOrder)
const packFulfillment = defineUpdate<FulfillmentAnswer, [PackFulfillment]>(updates.packFulfillment)
const reportRejection = defineUpdate<FulfillmentAnswer, [RejectLines]>(updates.reportRejection)
const handOver = defineUpdate<FulfillmentAnswer, [HandOver]>(updates.handOver)
const readyForPickup = defineUpdate<FulfillmentAnswer, [MakeReady]>(updates.readyForPickup)
const collect = defineUpdate<FulfillmentAnswer, [Collect]>(updates.collect)
const receiveTransfer = defineUpdate<FulfillmentAnswer, [ReceiveTransfer]>(updates.receiveTransfer)
const cancelOrderSignal = defineSignal<[CancelOrderSignal?]>(signals.cancelOrder)
const paymentReported = defineSignal<[PaymentReported]>(signals.paymentReported)
const moneyUnwanted = defineSignal<[MoneyUnwanted]>(signals.moneyUnwanted)
const holdExpires = defineSignal<[HoldExpires]>(signals.holdExpires)
const carrierReported = defineSignal<[CarrierReported]>(signals.carrierReported)
const runReported = defineSignal<[RunReported]>(signals.runReported)
const stockTakenBack = defineSignal<[StockTakenBack]>(signals.stockTakenBack)
const workMoved = defineSignal<[WorkMoved]>(signals.workMoved)
const exceptionRetried = defineSignal<[ExceptionRetried]>(signals.exceptionRetried)
const stockArrived = defineSignal<[StockArrived]>(signals.stockArrived)
const orderState = defineQuery<OrderState>(orderStateQuery)

/** Registers every handler; to be called before the first await, so that nothing sent early is lost. */
export function listen(thread: Thread): void {
  hearCancellation(thread)
  setHandler(cancelOrder, (ask) => cancel(thread, ask), {
    description: 'Cancel the whole order while it is in the building. Answers once the stock is free; the money follows.',
    validator: (_ask: CancelOrder) => refuseIfOver(thread),
  })
  setHandler(cancelLines, (ask) => cancelUnits(thread, ask), {
    description: 'Cancel some units: those that are not packed, or all that one parcel has in it. Answers once the stock is free; the rest of the order goes on.',
    validator: (_ask: CancelLines) => refuseIfCancelled(thread),
  })
  setHandler(changeOrder, (ask) => change(thread, ask), {
    description: 'Do what was asked for and confirmed. What it costs more is held first; answers once the order is changed, or why it is not.',
    validator: (_ask: ChangeOrder) => refuseIfCancelled(thread),
  })
  setHandler(packFulfillment, (ask) => heardOf(thread, ask).then(() => pack(thread, ask)), {
    description: 'Picked goods are in boxes. Answers when the carrier has given labels.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(reportRejection, (ask) => heardOf(thread, ask).then(() => reject(thread, ask)), {
    description: 'The node cannot fill (part of) it; the order goes to another node.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(handOver, (ask) => heardOf(thread, ask).then(() => leave(thread, ask)), {
    description: 'The packages have left the building. Needs a valid authorisation; the capture follows.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(readyForPickup, (ask) => heardOf(thread, ask).then(() => makeReady(thread, ask)), {
    description: 'The goods wait for the customer at the counter.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId),
  })
  setHandler(collect, (ask) => heardOf(thread, ask).then(() => fetch(thread, ask)), {
    description: 'The customer has the goods. Needs a valid authorisation; the capture follows.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId, 'ready'),
  })
  setHandler(receiveTransfer, (ask) => heardOf(thread, ask).then(() => receive(thread, ask)), {
    description: 'Another node has received what was sent to it; what is missing is looked for elsewhere.',
    validator: (ask: { fulfillmentId: string }) => refuseUnlessOpen(thread, ask.fulfillmentId, 'handed_over'),
  })
  listenForReturns(thread)
  listenForOthers(thread)
  listenForRefunds(thread)
  listenForMethods(thread)
  listenForHolds(thread, (ask) => cancel(thread, ask))
  setHandler(cancelOrderSignal, (ask) => cancelFromUi(thread, ask ?? {}), {
    description: 'For support, from the Temporal UI: {"reason": "…", "actor": "…"}. Done like the update; a refusal shows on the timeline and in the exception queue.',
  })
  setHandler(paymentReported, ({ paymentId, status }) => void (thread.payments[paymentId] = status as PaymentState), {
    description: 'The provider reported a payment; its row is already up to date.',
  })
  setHandler(moneyUnwanted, (late) => dropMoney(thread, late), { description: 'Money has come when nobody counts on it any more: it is let go, or given back.' })
  setHandler(holdExpires, ({ returnId }) => void (returnId === undefined ? (thread.toRenew = true) : (thread.toSecure ??= []).push(returnId)), { description: 'What is held will not be held much longer: the money is held anew, or support is told.' })
  setHandler(carrierReported, (fact) => hearCarrier(thread, fact), { description: 'The carrier reported a parcel; its row is already up to date.' })
  setHandler(runReported, (fact) => hearRun(thread, fact), { description: 'An own driver reported a door; the rows are already up to date.' })
  setHandler(stockTakenBack, (fact) => hearTakenBack(thread, fact), { description: 'A count found less than was claimed; what nobody had picked is sourced again.' })
  setHandler(workMoved, (fact) => hearMoved(thread, fact), { description: 'Work nobody had begun comes from other nodes now; the rows are already up to date.' })
  setHandler(exceptionRetried, () => void (thread.nudges += 1), { description: 'Somebody pressed retry: whatever waits is tried again now.' })
  setHandler(stockArrived, () => void (thread.nudges += 1), { description: 'Stock has come that the order waits for: it looks again now.' })
  answerTo(orderState, () => state(thread), { description: 'What the workflow itself believes.' })
}

/** The Cancel button of the Temporal UI asks for the same as support's signal: the order is cancelled properly, or goes on and says why. */
function hearCancellation(thread: Thread): void {
  CancellationScope.current().cancelRequested.catch(() => cancelFromUi(thread, { messageId: 'cancel-button' }))
}

const cancel = (thread: Thread, ask: CancelOrder): Promise<CancelOrderAnswer> =>
  thread.lock(async () => {
    await refuseIfGone(thread, ask)
    const outcome = await answering(() => asked('Cancel the order').cancelOrder({ ...ask, orderId: thread.start.orderId }))
    return stopStory(thread, outcome, ask.reason)
  })

const cancelUnits = (thread: Thread, ask: CancelLines): Promise<CancelOrderAnswer> =>
  fewerUnits(thread, ask.reason, () => asked('Cancel some units').cancelLines({ ...ask, orderId: thread.start.orderId }).catch((cause: unknown) => askBack(thread, ask, cause)))

/** Units that are on their way are asked back, and the answer says so. */
async function askBack(thread: Thread, { actor, reason }: CancelLines, cause: unknown): Promise<never> {
  const refusal = refusalIn(cause)
  const data = (refusal?.details?.[0] ?? {}) as { instead?: string; lines?: { lineId: string }[] }
  if (!refusal || data.instead !== 'intercept') throw cause
  const lineIds = data.lines?.map((l) => l.lineId) ?? []
  const back = await asked('Ask for what has left').askParcelsBack({ orderId: thread.start.orderId, actor, reason, lineIds })
  throw refusing(refusal.type, { ...data, ...back })
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
    const answer = await answering(() => asked(`Pack into ${ask.packages.length} ${ask.packages.length === 1 ? 'package' : 'packages'}`).packFulfillment({ ...ask, waitingOn: label }))
    packing.status = answer.status
    waits(packing, label)
    return packing
  })
  await labelsOrEnd(thread, work)
  if (thread.cancelled) throw refusing('order.already_cancelled', { state: 'cancelled' })
  if (wentBack(work)) throw refusing('fulfillment.state', { state: work.status, allowedActions: [] })
  return { fulfillmentId: work.fulfillmentId, status: work.status }
}

const reject = (thread: Thread, ask: RejectLines): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId)
    const sourcing = waiting('sourcing', null)
    const answer = await answering(() => asked(`${work.nodeId} rejects it`).rejectFulfillment({ ...ask, waitingOn: sourcing }))
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
    const ifTransfer = work.method === 'transfer' ? waiting('transfer', thread.start.policy.store_work.receiveWithin!) : undefined
    const { at, captures, capturesMinor, manifest, remainder, voids, ...answer } = await answering(() => asked('Hand over').handOver({ ...ask, ifCapture, ifPaid, ifTransfer }))
    Object.assign(work, { status: 'handed_over', manifest, gone: { at, captures, capturesMinor, remainder, voids } })
    waits(work, captures.length ? ifCapture : (ifTransfer ?? ifPaid))
    return answer
  })

const makeReady = (thread: Thread, ask: MakeReady): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId)
    const { readyAt, pickupBy, remindAt, ...answer } = await answering(() => asked(`Ready for pickup at ${work.nodeId}`).makeReady(ask))
    Object.assign(work, { status: 'ready', pickup: { pickupBy, remindAt } })
    waits(work, { what: 'collection', since: readyAt, deadline: pickupBy })
    return answer
  })

const fetch = (thread: Thread, ask: Collect): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId, 'ready')
    const ifCapture = waiting('capture', null)
    const given = await answering(() => asked('Collected').collect({ ...ask, ifCapture }))
    if (given.outcome === 'not proven') throw refusing('collection.not_proven', { triesLeft: given.triesLeft })
    const { fulfillmentId, status, outcome: _, ...gone } = given
    Object.assign(work, { status, gone, deliveredAt: gone.at })
    waits(work, gone.captures.length ? ifCapture : null)
    return { fulfillmentId, status }
  })

const receive = (thread: Thread, ask: ReceiveTransfer): Promise<FulfillmentAnswer> =>
  thread.lock(async () => {
    const work = openWork(thread, ask.fulfillmentId, 'handed_over')
    const ifReceived = waiting('picking', thread.start.policy.store_work.acceptWithin)
    const { part, short, ...answer } = await answering(() => asked('Received from another node').receiveTransfer({ ...ask, ifReceived }))
    Object.assign(work, { status: answer.status, deliveredAt: ifReceived.since })
    waits(work, null)
    if (part) thread.arrivals.push(...newWorks(thread, [part]))
    if (short) thread.toSource = true
    return answer
  })

function hearCarrier(thread: Thread, { fulfillmentId, status, at, waits: since, trouble }: CarrierReported): void {
  const work = workOf(thread, fulfillmentId)
  if (!work) return
  work.status = status
  if (status === 'delivered') work.deliveredAt ??= at
  if (trouble && !work.troubles?.some((known) => known.packageId === trouble.packageId)) {
    work.troubles = [...(work.troubles ?? []), trouble]
    if (trouble.reship) thread.toSource = true
    thread.owed.push(...(trouble.refunds ?? []))
  }
  work.rowWait = since.part
  if (since.part === null) work.wait = null
  if (since.order) waits(thread.whole, since.order)
  show(thread)
}

function hearTakenBack(thread: Thread, { fulfillmentId, status }: StockTakenBack): void {
  const work = workOf(thread, fulfillmentId)
  if (work && status === 'rejected' && work.status === 'released') {
    work.status = 'rejected'
    waits(work, null)
  }
  waits(thread.whole, waiting('sourcing', null))
  thread.toSource = true
  thread.nudges += 1
}

/** Said twice, the parts are known already. */
function hearMoved(thread: Thread, { from, parts }: WorkMoved): void {
  for (const work of thread.works.filter((w) => from.includes(w.fulfillmentId))) {
    work.status = 'cancelled'
    waits(work, null)
  }
  const works = newWorks(thread, parts.filter((p) => !workOf(thread, p.fulfillmentId)))
  endStopped(thread)
  thread.arrivals.push(...works)
  if (works.length) show(thread, { nodeId: works[0]!.nodeId })
}

/** Said again by a run that was not sure: what was heard stays. */
function hearRun(thread: Thread, { fulfillmentId, status, at, gone, waits: since }: RunReported): void {
  const work = workOf(thread, fulfillmentId)
  if (!work || work.deliveredAt !== undefined) return
  work.status = status
  if (gone) work.gone ??= gone
  if (status === 'delivered') work.deliveredAt = at
  waits(work, since.part)
  if (since.order) waits(thread.whole, since.order)
  show(thread)
}

/** What has all arrived can only be sent back; nobody has to be asked. */
function refuseIfOver(thread: Thread): void {
  const gone = thread.works.filter(isGone)
  if (gone.length && insteadOfCancelling(gone) === 'return') throw tooLate(gone)
  refuseIfCancelled(thread)
}

/** Too late to stop it: what is on its way is asked back, and that is the answer. */
async function refuseIfGone(thread: Thread, { actor, reason }: CancelOrder): Promise<void> {
  refuseIfOver(thread)
  const gone = thread.works.filter(isGone)
  if (gone.length === 0) return
  const ask = { orderId: thread.start.orderId, actor, reason }
  const back = patched('parcels-are-asked-back') ? await answering(() => asked('Ask for what has left').askParcelsBack(ask)) : undefined
  throw tooLate(gone, back)
}

const tooLate = (gone: readonly Work[], back: object = {}): Error =>
  refusing('order.already_handed_over', { fulfillmentIds: gone.map((w) => w.fulfillmentId), instead: insteadOfCancelling(gone), ...back })

/** What the story does not know yet it may be about to be told: then the handler waits for it. */
function refuseUnlessOpen(thread: Thread, fulfillmentId: string, when?: 'ready' | 'handed_over'): void {
  if (workOf(thread, fulfillmentId)) openWork(thread, fulfillmentId, when)
}

const wordComesWithinMs = 5_000

/** The rows know the fulfillment, or nobody would have asked: word of it is on its way. */
async function heardOf(thread: Thread, { fulfillmentId }: { fulfillmentId: string }): Promise<void> {
  if (!workOf(thread, fulfillmentId)) await thread.until(() => workOf(thread, fulfillmentId) !== undefined, now() + wordComesWithinMs, 'Word of this work')
}

/** @throws when the order was cancelled, or the fulfillment is none of this order's or has come to an end. */
function openWork(thread: Thread, fulfillmentId: string, when?: 'ready' | 'handed_over'): Work {
  if (thread.cancelled) throw refusing('fulfillment.state', { state: 'cancelled', allowedActions: [] })
  const work = workOf(thread, fulfillmentId)
  if (!work) throw refusing('fulfillment.unknown')
  if (when ? work.status !== when : work.status !== 'released' && work.status !== 'packed') throw refusing('fulfillment.state', { state: work.status, allowedActions: [] })
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
