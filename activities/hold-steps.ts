/** The steps of holds: local activities like those of order-steps.ts, safe to run again in the same way. */
import type { HoldsChanged, PlaceHold, ReleaseHold } from '../domain/messages'
import type { ReleasingFact } from '../domain/order/holds'
import type { Db } from '../db/connection'
import { once, onceAsked } from '../db/effects'
import { noteFraudTooLate } from '../db/fraud'
import { placeHold, type HoldPlaced } from '../db/steps/place-hold'
import { endHoldAtDeadline, escalateHold, releaseByFact, releaseHold, type DeadlineOutcome } from '../db/steps/release-hold'

export function createHoldSteps(db: Db) {
  return {
    /** Some steps of the order are stopped. */
    placeHold: (ask: PlaceHold & { orderId: string }): Promise<HoldPlaced> => onceAsked(db, `hold:${ask.commandId}`, { action: 'hold.place', subject: ask.orderId, ask }, (tx) => placeHold(tx, ask)),

    /** Somebody says that it may go on. */
    releaseHold: (ask: ReleaseHold & { orderId: string }): Promise<HoldsChanged> => onceAsked(db, `release:${ask.commandId}`, { action: 'hold.release', subject: ask.orderId, ask }, (tx) => releaseHold(tx, ask)),

    /** What a fact releases by itself. */
    releaseByFact: (ask: { orderId: string; fact: ReleasingFact }): Promise<HoldsChanged> => once(db, `released-by:${ask.fact}:${ask.orderId}`, (tx) => releaseByFact(tx, ask)),

    /** A hold's deadline has come. */
    endHoldAtDeadline: (ask: { orderId: string; holdId: string }): Promise<DeadlineOutcome> => once(db, `hold-deadline:${ask.holdId}`, (tx) => endHoldAtDeadline(tx, ask)),

    /** The fraud service rejects what can no longer be cancelled. */
    noteFraudTooLate: (ask: { orderId: string; checkId: string; code: string }): Promise<void> => db.transaction((tx) => noteFraudTooLate(tx, ask)),

    /** Its order was to be cancelled by it, and has left. */
    escalateHold: (ask: { orderId: string; holdId: string }): Promise<HoldsChanged> => once(db, `hold-escalated:${ask.holdId}`, (tx) => escalateHold(tx, ask)),
  }
}
