/**
 * The steps an order takes in our own database, run as local activities: each is one transaction that writes the rows, the stock movement,
 * the timeline and the statuses together. Each is safe to run again: commands are keyed by their command, the rest by order and attempt or guarded by state.
 */
import type { CancelLines, CancelOrder, ChangeOrder, FulfillmentAnswer, GiveMethod, HandOver, PackFulfillment, RejectLines } from '../domain/messages'
import type { WaitingOn } from '../domain/order/status'
import { Refusal, refuse } from '../domain/refusals'
import type { Db } from '../db/connection'
import { numberOf, once, onceAsked, type Attempt } from '../db/effects'
import { needFulfillment } from '../db/fulfillments'
import { hopefully } from '../db/race'
import { expireDue } from '../db/reservations'
import { askBackInstead, askParcelsBack, type AskedBack, type ParcelsAskedBack } from '../db/steps/ask-parcels-back'
import { cancelLines, type LinesCancelled } from '../db/steps/cancel-lines'
import { cancelOrder, type CancelOutcome } from '../db/steps/cancel-order'
import { cancelRemainder, type RemainderCancelled } from '../db/steps/cancel-remainder'
import { applyChange, endStale, finishChange, type ChangeFinished, type ChangeOutcome } from '../db/steps/change-order'
import { closeOrder, noteRefusedCancel, noticeWait, settleWait, type WaitNotice } from '../db/steps/close-order'
import { expireRequests } from '../db/steps/decide-change'
import { giveMethod, type MethodGiven } from '../db/steps/give-method'
import { handOver, type HandOverOutcome } from '../db/steps/hand-over'
import { dropOldHolds, holdRemainder, type HoldRemainder, type RemainderOutcome } from '../db/steps/hold-remainder'
import { moveLateWork, NobodyElse, type MoveAsk, type MoveOutcome } from '../db/steps/move-late-work'
import { packFulfillment } from '../db/steps/pack'
import { rejectFulfillment } from '../db/steps/pick'
import { renewPromiseOf, type RenewAsk, type RenewOutcome } from '../db/steps/renew-promise'
import { sourceOrder, type SourceAsk, type SourceOutcome } from '../db/steps/source-order'
import type { Carrier } from './ports'
import type { PromiseDesk } from './promise-desk'

/** Few enough that nobody waits long for a level. */
const expiredAtOnce = 200

export function createOrderSteps(db: Db, carriers: readonly Carrier[], desk: Pick<PromiseDesk, 'afterSale'>) {
  return {
    /** Gives the order to a node, or says what no node has. */
    sourceOrder: async (ask: SourceAsk): Promise<SourceOutcome> => {
      // The first attempt of its first thread adopts what was claimed when the order was accepted.
      const after = ask.channel !== undefined && (ask.attempt > 1 || ask.threadId !== undefined) ? await desk.afterSale(ask.channel) : undefined
      return hopefully((mode) => once(db, `source:${ask.orderId}:${numberOf(ask)}`, (tx) => sourceOrder(tx, ask, mode, after)))
    },

    /** Work that a node has not begun in time goes to the next best, or stays where it is. */
    moveLateWork: async (ask: MoveAsk): Promise<MoveOutcome> => {
      const after = ask.channel === undefined ? undefined : await desk.afterSale(ask.channel)
      return hopefully((mode) => once(db, `move:${ask.fulfillmentId}`, (tx) => moveLateWork(tx, ask, mode, after))).catch((cause: unknown) => {
        if (!(cause instanceof NobodyElse)) throw cause
        return { outcome: 'stays' as const }
      })
    },

    /** A date that cannot be kept is told anew. */
    renewPromise: async (ask: RenewAsk): Promise<RenewOutcome> => {
      const after = await desk.afterSale(ask.channel)
      return once(db, `renew:${ask.fulfillmentId}:${ask.milestone}`, (tx) => renewPromiseOf(tx, ask, after))
    },

    ...givingUpSteps(db, desk),

    /** Picked goods go into boxes. */
    packFulfillment: async (ask: PackFulfillment & { waitingOn: WaitingOn }): Promise<FulfillmentAnswer> => {
      await refuseUnlessOffered(db, carriers, ask.fulfillmentId)
      return onceAsked(db, `pack:${ask.commandId}`, { ask, action: 'fulfillment.pack', subject: ask.fulfillmentId }, (tx) => packFulfillment(tx, ask))
    },

    /** The node cannot fill it. */
    rejectFulfillment: (ask: RejectLines & { waitingOn: WaitingOn }): Promise<FulfillmentAnswer> =>
      onceAsked(db, `reject:${ask.commandId}`, { ask, action: 'fulfillment.reject', subject: ask.fulfillmentId }, (tx) => rejectFulfillment(tx, ask)),

    /** The packages leave the building. */
    handOver: (ask: HandOver & { ifCapture: WaitingOn; ifPaid: WaitingOn; ifTransfer?: WaitingOn }): Promise<HandOverOutcome> =>
      onceAsked(db, `hand-over:${ask.commandId}`, { ask, action: 'fulfillment.hand_over', subject: ask.fulfillmentId }, (tx) => handOver(tx, ask)),

    /** What has still to leave is to be held again. Every attempt, after a decline too, has a number of its own. */
    holdRemainder: (ask: HoldRemainder & Attempt): Promise<RemainderOutcome> =>
      once(db, `remainder:${ask.orderId}:${numberOf(ask)}`, (tx) => holdRemainder(tx, ask)),

    /** Another way of paying for what is not held: the operations that hold it. */
    giveMethod: (ask: GiveMethod & { orderId: string }): Promise<MethodGiven> => onceAsked(db, `give-method:${ask.commandId}`, { ask, action: 'payment.give_method', subject: ask.orderId }, (tx) => giveMethod(tx, ask)),

    /** The money is held anew: the operations that let go of what was held before. */
    dropOldHolds: (ask: Attempt & { orderId: string }): Promise<{ voids: string[] }> =>
      once(db, `old-holds:${ask.orderId}:${numberOf(ask)}`, (tx) => dropOldHolds(tx, ask)),

    /** Holds whose time is over are given back, and requests nobody has decided on are refused, some at a time. @returns how many. */
    expireReservations: async (): Promise<number> => (await db.transaction((tx) => expireDue(tx, expiredAtOnce))) + (await db.transaction((tx) => expireRequests(tx, expiredAtOnce))),

    /** The end of the thread. */
    closeOrder: (ask: { orderId: string; status: 'completed' | 'cancelled' }): Promise<void> => db.transaction((tx) => closeOrder(tx, ask)),

    /** Writes what the order waits on now, and opens an exception where somebody should know. */
    noticeWait: (notice: WaitNotice): Promise<void> => db.transaction((tx) => noticeWait(tx, notice)),

    /** What was waited on has come. */
    settleWait: (ask: { orderId: string; kind: string; subject?: string; resolution: string }): Promise<void> =>
      db.transaction((tx) => settleWait(tx, ask)),

    /** A request from the Temporal UI that could not be done. */
    noteRefusedCancel: (ask: { orderId: string; messageId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> =>
      once(db, `refused:${ask.orderId}:${ask.messageId}`, (tx) => noteRefusedCancel(tx, ask)),
  }
}

/** What takes units out of an order, or all of them; or changes it otherwise. */
const givingUpSteps = (db: Db, desk: Pick<PromiseDesk, 'afterSale'>) => ({
  /** Cancels the whole order while it is in the building. */
  cancelOrder: (ask: CancelOrder & { orderId: string }): Promise<CancelOutcome> => onceAsked(db, `cancel:${ask.orderId}`, { ask, action: 'order.cancel', subject: ask.orderId }, (tx) => cancelOrder(tx, ask)),

  /** Too late to cancel: what has left is asked back. */
  askParcelsBack: (ask: AskedBack): Promise<ParcelsAskedBack> => db.transaction((tx) => askParcelsBack(tx, ask)),

  /** Cancels some units; the rest of the order goes on. */
  cancelLines: (ask: CancelLines & { orderId: string }): Promise<LinesCancelled> => onceAsked(db, `cancel-lines:${ask.commandId}`, { ask, action: 'order.cancel_lines', subject: ask.orderId }, (tx) => cancelLines(tx, ask)),

  /** Does what was confirmed, or says what is to be held first. */
  changeOrder: async (ask: ChangeOrder & { orderId: string; channel?: string }): Promise<ChangeOutcome> => {
    const after = ask.channel === undefined ? undefined : await desk.afterSale(ask.channel)
    return hopefully((mode) => onceAsked(db, `change:${ask.commandId}`, { ask, action: 'change.confirm', subject: ask.changeId }, (tx) => applyChange(tx, { ...ask, mode, after }))).catch(async (cause: unknown) => {
      if (!(cause instanceof Refusal) || cause.code === 'change.unknown') throw cause
      await db.transaction((tx) => endStale(tx, { ...ask, code: cause.code }))
      throw await db.transaction((tx) => askBackInstead(tx, cause, { ...ask, reason: 'a change asks for less' }))
    })
  },

  /** Does what was confirmed once its money is held; or ends it. */
  finishChange: async (ask: ChangeOrder & { orderId: string; channel: string; declineCode?: string }): Promise<ChangeFinished> => {
    const after = await desk.afterSale(ask.channel)
    return hopefully((mode) => once(db, `finish-change:${ask.changeId}`, (tx) => finishChange(tx, { ...ask, mode, after })))
  },

  /** What nobody could fill is cancelled, the rest goes on. */
  cancelRemainder: (ask: Attempt & { orderId: string; reason: string }): Promise<RemainderCancelled> =>
    once(db, `cancel-remainder:${ask.orderId}:${numberOf(ask)}`, (tx) => cancelRemainder(tx, ask)),
})

/** A service that nobody sells, or sells no more, is said at once and not found out by the carriers. */
async function refuseUnlessOffered(db: Db, carriers: readonly Carrier[], fulfillmentId: string): Promise<void> {
  const { service } = await needFulfillment(db, fulfillmentId)
  const offered = [...new Set(carriers.flatMap((c) => c.services().map((s) => s.service)))]
  if (service && !offered.includes(service)) throw refuse('delivery.service_not_offered', { service, offered })
}
