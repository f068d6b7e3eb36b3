/** The steps of goods that customers fetch, and of goods that one node sends to another: local activities like those of order-steps.ts, safe to run again in the same way. */
import type { Collect, MakeReady } from '../domain/messages'
import type { WaitingOn } from '../domain/order/status'
import type { Db } from '../db/connection'
import { once, onceAsked } from '../db/effects'
import { carryOut, collect, type GivenAway, type NotProven } from '../db/steps/collect'
import { expirePickup, type ExpiredPickup } from '../db/steps/expire-pickup'
import { makeReady, remindOfPickup, type ReadyOutcome } from '../db/steps/make-ready'
import { receiveTransfer, type ReceiveAsk, type ReceiveOutcome } from '../db/steps/receive-transfer'

export function createCollectionSteps(db: Db) {
  return {
    /** Goods that the customer fetches are at the counter. */
    makeReady: (ask: MakeReady): Promise<ReadyOutcome> => onceAsked(db, `ready:${ask.commandId}`, { ask, action: 'fulfillment.ready_for_pickup', subject: ask.fulfillmentId }, (tx) => makeReady(tx, ask)),

    /** The customer is to be told that her goods still wait. */
    remindOfPickup: (ask: { fulfillmentId: string }): Promise<void> => once(db, `remind:${ask.fulfillmentId}`, (tx) => remindOfPickup(tx, ask)),

    /** The customer has what she came for, or a wrong code. */
    collect: (ask: Collect & { ifCapture: WaitingOn }): Promise<GivenAway | NotProven> => onceAsked(db, `collect:${ask.commandId}`, { ask, action: 'fulfillment.collect', subject: ask.fulfillmentId, unless: (given) => given.outcome === 'not proven' }, (tx) => collect(tx, ask)),

    /** At a till the goods are hers at once. */
    carryOut: (ask: { fulfillmentId: string; actor: string; ifCapture: WaitingOn }): Promise<GivenAway> => once(db, `carry-out:${ask.fulfillmentId}`, (tx) => carryOut(tx, ask)),

    /** Nobody has come for it in time. */
    expirePickup: (ask: { fulfillmentId: string; reason: string }): Promise<ExpiredPickup> => once(db, `expire:${ask.fulfillmentId}`, (tx) => expirePickup(tx, ask)),

    /** What another node sent has come. */
    receiveTransfer: (ask: ReceiveAsk): Promise<ReceiveOutcome> => onceAsked(db, `receive:${ask.commandId}`, { ask, action: 'fulfillment.receive', subject: ask.fulfillmentId }, (tx) => receiveTransfer(tx, ask)),
  }
}
