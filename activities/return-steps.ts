/** The steps of what comes back: local activities like those of order-steps.ts, safe to run again in the same way. */
import type { DecideRefund, DecideReturn, GiveAgain, ReceiveReturn, RefundOrder, RequestReplacement, RequestReturn, ReturnAtCounter } from '../domain/messages'
import type { Db } from '../db/connection'
import { numberOf, once, onceAsked, type Attempt } from '../db/effects'
import type { ExchangeHold } from '../db/exchange-payments'
import type { ReturnNews } from '../db/returns'
import type { ClaimWaits } from '../db/steps/claim-refund'
import { decideReturn, endReturn, receiveReturn, reopenOrder } from '../db/steps/receive-return'
import { overdueReturn, type OverdueNews, type PassedDate } from '../db/steps/overdue-return'
import { chargeByDate, guardRenewed, renewGuard, type GuardRenewed } from '../db/steps/guard-return'
import { finishReplacement, requestReplacement, type ReplacementAsked, type ReplacementFinished } from '../db/steps/request-replacement'
import { noteRefusedReturn, requestReturn } from '../db/steps/request-return'
import { giveAgain, type GivenAgain } from '../db/steps/give-again'
import { decideRefund, refundOrder, type RefundNews } from '../db/steps/refund-order'
import { returnAtCounter } from '../db/steps/return-at-counter'
import { lateReturn } from '../db/steps/unreturned'

export function createReturnSteps(db: Db) {
  return {
    /** Something is to come back. */
    requestReturn: (ask: RequestReturn & { orderId: string }): Promise<ReturnNews | ClaimWaits> => onceAsked(db, `return:${ask.commandId}`, { ask, action: 'return.request', subject: ask.orderId }, (tx) => requestReturn(tx, ask)),

    /** Something is to be sent in place of what was delivered. */
    requestReplacement: (ask: RequestReplacement & { orderId: string }): Promise<ReplacementAsked> =>
      onceAsked(db, `replace:${ask.commandId}`, { ask, action: 'replacement.request', subject: ask.orderId, unless: (asked) => asked.holds !== undefined }, (tx) => requestReplacement(tx, ask)),

    /** It is sent once what is held for it is held; or nothing has changed. */
    finishReplacement: (ask: RequestReplacement & { orderId: string; returnId: string; declineCode?: string }): Promise<ReplacementFinished> =>
      onceAsked(db, `finish-replacement:${ask.commandId}`, { ask: { commandId: ask.commandId, actor: ask.actor }, action: 'replacement.request', subject: ask.orderId, unless: (finished) => finished.outcome === 'failed' }, (tx) => finishReplacement(tx, ask)),

    /** What came back is counted. */
    receiveReturn: (ask: ReceiveReturn): Promise<ReturnNews> => onceAsked(db, `received:${ask.commandId}`, { ask, action: 'return.receive', subject: ask.returnId }, (tx) => receiveReturn(tx, ask)),

    /** It was brought to a counter and is counted there. */
    returnAtCounter: (ask: ReturnAtCounter & { orderId: string }): Promise<ReturnNews> => onceAsked(db, `counter:${ask.commandId}`, { ask, action: 'return.at_counter', subject: ask.orderId }, (tx) => returnAtCounter(tx, ask)),

    /** A person agrees to a return or refuses it, or who asked for it takes it back. */
    decideReturn: (ask: DecideReturn): Promise<ReturnNews> => onceAsked(db, `decide:${ask.commandId}`, { ask, action: `return.${ask.decision}`, subject: ask.returnId }, (tx) => decideReturn(tx, ask)),

    /** What others were sent for has not come back by its date, unless its rows are further by now. */
    chargeReturn: (ask: { returnId: string; deadline: string }): Promise<ReturnNews | undefined> => once(db, `charge:${ask.returnId}:${ask.deadline}`, (tx) => chargeByDate(tx, ask)),

    /** What is held over goods that are still to come is to be held anew. Every attempt has a number of its own. */
    renewGuard: (ask: Attempt & { returnId: string }): Promise<{ hold?: ExchangeHold }> => once(db, `renew-guard:${ask.returnId}:${numberOf(ask)}`, (tx) => renewGuard(tx, ask)),

    /** The bank has answered. */
    guardRenewed: (ask: { returnId: string; paymentId: string; isHeld: boolean }): Promise<GuardRenewed> => once(db, `guard-renewed:${ask.paymentId}`, (tx) => guardRenewed(tx, ask)),

    /** Money is to be given back that no return asks for. */
    refundOrder: (ask: RefundOrder & { orderId: string }): Promise<RefundNews> => onceAsked(db, `refund:${ask.commandId}`, { ask, action: 'refund.ask', subject: ask.orderId }, (tx) => refundOrder(tx, ask)),

    /** Another person agrees to that, or refuses it. */
    decideRefund: (ask: DecideRefund & { orderId: string }): Promise<RefundNews> => onceAsked(db, `decide-refund:${ask.commandId}`, { ask, action: `refund.${ask.decision}`, subject: ask.refundId }, (tx) => decideRefund(tx, ask)),

    /** A refund that came back is given another way. */
    giveRefundAgain: (ask: GiveAgain & { orderId: string }): Promise<GivenAgain> => onceAsked(db, `give-again:${ask.commandId}`, { ask, action: 'refund.give_again', subject: ask.refundReference }, (tx) => giveAgain(tx, ask)),

    /** All of a return is counted and paid back. */
    closeReturn: (ask: { returnId: string }): Promise<ReturnNews> => db.transaction((tx) => endReturn(tx, { ...ask, to: 'closed' })),

    /** Its time is over and not all of it is there. */
    lateReturn: (ask: { returnId: string }): Promise<ReturnNews | undefined> => db.transaction((tx) => lateReturn(tx, ask.returnId)),

    /** A date of it has passed: what follows on that. */
    overdueReturn: (ask: PassedDate): Promise<OverdueNews | undefined> => once(db, `overdue:${ask.returnId}:${ask.status}:${ask.deadline}`, (tx) => overdueReturn(tx, ask)),

    /** A request from the Temporal UI that could not be done. */
    noteRefusedReturn: (ask: { orderId: string; messageId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> =>
      once(db, `refused-return:${ask.orderId}:${ask.messageId}`, (tx) => noteRefusedReturn(tx, ask)),

    /** The thread of an order begins again. */
    reopenOrder: (ask: { orderId: string }): Promise<ReturnNews[]> => db.transaction((tx) => reopenOrder(tx, ask.orderId)),
  }
}
