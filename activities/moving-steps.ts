/** What people ask of work that nodes have: local activities like those of order-steps.ts, safe to run again in the same way. */
import type { MoveWork, RenewPromise } from '../domain/messages'
import type { Db } from '../db/connection'
import { onceAsked } from '../db/effects'
import { hopefully } from '../db/race'
import { moveLateWork, NobodyElse, type MoveAsk, type MoveOutcome } from '../db/steps/move-late-work'
import { renewPromiseOf, type RenewAsk, type RenewOutcome } from '../db/steps/renew-promise'
import type { PromiseDesk } from './promise-desk'

export function createMovingSteps(db: Db, desk: Pick<PromiseDesk, 'afterSale'>) {
  return {
    /** Somebody wants other nodes to do it. */
    moveWork: async (ask: MoveAsk & MoveWork): Promise<MoveOutcome> => {
      const after = ask.channel === undefined ? undefined : await desk.afterSale(ask.channel)
      const what = { action: 'order.move_work', subject: ask.fulfillmentId, ask, unless: (moved: MoveOutcome) => moved.outcome === 'stays' }
      return hopefully((mode) => onceAsked(db, `move:${ask.commandId}:${ask.fulfillmentId}`, what, (tx) => moveLateWork(tx, { ...ask, asked: ask }, mode, after))).catch((cause: unknown) => {
        if (!(cause instanceof NobodyElse)) throw cause
        return { outcome: 'stays' as const }
      })
    },

    /** Somebody wants the customer to be told another date. */
    renewPromiseNow: async (ask: RenewAsk & RenewPromise): Promise<RenewOutcome> => {
      const after = await desk.afterSale(ask.channel)
      const what = { action: 'order.renew_promise', subject: ask.fulfillmentId, ask, unless: (told: RenewOutcome) => told.outcome === 'stays' }
      return onceAsked(db, `renew:${ask.commandId}:${ask.fulfillmentId}`, what, (tx) => renewPromiseOf(tx, ask, after))
    },
  }
}
