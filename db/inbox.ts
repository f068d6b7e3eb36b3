/** Facts from outside: one row per (source, event id), committed before the sender hears 200, applied by lease. A repeat finds its row and changes nothing. */
import type { CarrierReported, FraudRejected, HoldExpires, HoldsChanged, MoneyUnwanted, PaymentReported, StockTakenBack } from '../domain/messages'
import type { WorkMoved } from './steps/source-order'
import type { ReturnNews } from './returns'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface InboundFact {
  source: string
  eventId: string
  kind: string
  /** What it is about, in the sender's words: a tracking number, a payment, an order number. */
  subject: string
  payload: Record<string, unknown>
}

/** A fact that was applied to the rows and that the order's workflow has still to be told. */
export interface Telling {
  channel: string
  channelOrderId: string
  signal: 'paymentReported' | 'moneyUnwanted' | 'holdExpires' | 'carrierReported' | 'workMoved' | 'stockTakenBack' | 'holdsChanged' | 'fraudRejected' | 'returnReported'
  fact: HoldsChanged | FraudRejected | PaymentReported | MoneyUnwanted | HoldExpires | CarrierReported | WorkMoved | StockTakenBack | ReturnNews
}
export interface LeasedFact extends InboundFact {
  telling: Telling | null
}

/** @returns false when this event was received before. */
export async function receiveFact(db: Db | Transaction, fact: InboundFact): Promise<boolean> {
  const fresh = await row(
    db,
    `INSERT INTO inbound_events (source, event_id, kind, subject, payload) VALUES (?, ?, ?, ?, ?::jsonb) ON CONFLICT DO NOTHING RETURNING event_id`,
    [fact.source, fact.eventId, fact.kind, fact.subject, JSON.stringify(fact.payload)],
  )
  return fresh !== undefined
}

/** Something we did ourselves to an order's rows: its workflow is told as of any fact, also when this process dies in between. */
export async function tellLater(tx: Transaction, fact: InboundFact, telling: Telling): Promise<void> {
  if (await receiveFact(tx, fact)) await rememberTelling(tx, fact, telling, 'applied')
}

/** Takes up to `limit` queued facts for `leaseMs`, oldest first. */
export const leaseFacts = (db: Db, limit: number, leaseMs: number): Promise<LeasedFact[]> =>
  rows(
    db,
    `UPDATE inbound_events SET leased_until = now() + ? * interval '1 millisecond', attempts = attempts + 1
     WHERE (source, event_id) IN (SELECT source, event_id FROM inbound_events WHERE status = 'queued' AND (leased_until IS NULL OR leased_until < now())
                                  ORDER BY received_at LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING source, event_id AS "eventId", kind, subject, payload, telling`,
    [leaseMs, limit],
  )

/** `done`: applied, with what came of it. `kept`: about something not known yet; queued again when it is. */
export async function settleFact(db: Db | Transaction, fact: InboundFact, status: 'done' | 'kept', outcome: string): Promise<void> {
  await run(db, 
    `UPDATE inbound_events SET status = ?, outcome = ?, leased_until = NULL, done_at = CASE WHEN ? = 'done' THEN now() END, last_error = NULL
     WHERE source = ? AND event_id = ?`,
    [status, outcome, status, fact.source, fact.eventId],
  )
}

/** The rows are up to date; the fact stays queued until the workflow has heard it, also when this process dies in between. */
export async function rememberTelling(tx: Transaction, fact: InboundFact, telling: Telling, outcome: string): Promise<void> {
  await run(tx, 'UPDATE inbound_events SET telling = ?::jsonb, outcome = ? WHERE source = ? AND event_id = ?', [JSON.stringify(telling), outcome, fact.source, fact.eventId])
}

/** Gives a fact back to the queue; tried again after `retryMs`. */
export async function factFailed(db: Db, fact: InboundFact, error: string, retryMs: number): Promise<void> {
  await run(db, `UPDATE inbound_events SET leased_until = now() + ? * interval '1 millisecond', last_error = ? WHERE source = ? AND event_id = ? AND status = 'queued'`, [
    retryMs,
    error.slice(0, 300),
    fact.source,
    fact.eventId,
  ])
}
