/** What became of attempts, many in one transaction: each delivery settled or put back, and what that says about its endpoint. */
import { afterFault, healthy, type BreakerSettings, type Health } from '../domain/delivery/breaker'
import { isDelivered, isGone, nextAttemptAt, reasonOf, type Heard } from '../domain/webhooks/attempt'
import { rows, run, type Db, type Transaction } from './connection'
import { openException } from './waiting'
import { readHealth, type TakenDelivery } from './webhook-deliveries'
import { disableFailing } from './webhook-endpoints'

export interface Result {
  endpointId: string
  /** The address it was sent to; where the endpoint has another since, it says nothing of that one. */
  url: string
  delivery: TakenDelivery
  heard: Heard
  /** When the attempt began. */
  at: number
}

/** Five failures in a row, as they come within minutes, fence an endpoint off; then one attempt every half minute sees whether it is back. */
export const webhookBreaker: BreakerSettings = { limit: 4.5, halfLifeMs: 600_000, coolOffMs: 30_000 }
/** How often it is noted that an endpoint works. */
const successNotedMs = 60_000
/** Attempts shown in the log of one delivery. */
const attemptsKept = 40

/** @param random 0 to 1, asked once per failure. */
export const recordResults = (db: Db, results: readonly Result[], { now, random }: { now: number; random: () => number }): Promise<void> =>
  db.transaction(async (tx) => {
    const endpoints = await lockEndpoints(tx, results)
    const isElsewhere = ({ endpointId, url }: Result): boolean => url !== (endpoints.get(endpointId)?.url ?? url)
    const settled = results.map((result) => settle(result, { now, random, isElsewhere: isElsewhere(result) }))
    await write(tx, settled)
    for (const [endpointId, standing] of endpoints) {
      const mine = settled.filter((s) => s.endpointId === endpointId && !isElsewhere(s))
      if (mine.length > 0) await noteHealth(tx, endpointId, standing, mine, now)
    }
  })

interface Settled extends Result {
  status: 'delivered' | 'pending' | 'dead'
  next: number
  reason: string | null
}

function settle(result: Result, { now, random, isElsewhere }: { now: number; random: () => number; isElsewhere: boolean }): Settled {
  const { heard, delivery } = result
  if (isDelivered(heard)) return { ...result, status: 'delivered', next: now, reason: null }
  if (isElsewhere) return { ...result, status: 'pending', next: now, reason: reasonOf(heard) }
  const next = nextAttemptAt({ failures: delivery.failures + 1, now, giveUpAt: Date.parse(delivery.giveUpAt), retryAfterMs: heard.retryAfterMs, random: random() })
  // An endpoint that is gone is disabled; what waits for it is kept for the day on which somebody enables it again.
  if (next === undefined && !isGone(heard)) return { ...result, status: 'dead', next: now, reason: reasonOf(heard) }
  return { ...result, status: 'pending', next: next ?? now, reason: reasonOf(heard) }
}

/** A success counts whoever had it; a failure only of whoever still holds the delivery. */
async function write(tx: Transaction, settled: readonly Settled[]): Promise<void> {
  const told = settled.map(({ delivery, heard, at, status, next, reason }) => ({
    delivery_id: delivery.deliveryId,
    claim: delivery.claim,
    status,
    next: new Date(next).toISOString(),
    reason,
    attempt: { at: new Date(at).toISOString(), status: heard.status, durationMs: heard.durationMs, error: heard.error, answer: heard.answer },
  }))
  await run(
    tx,
    `UPDATE webhook_deliveries d SET status = r.status, next_attempt_at = r.next, reason = r.reason, failures = CASE WHEN r.status = 'delivered' THEN 0 ELSE failures + 1 END,
       settled_at = CASE WHEN r.status <> 'pending' THEN now() END, attempts = (CASE WHEN jsonb_array_length(d.attempts) < ? THEN d.attempts ELSE d.attempts - 0 END) || jsonb_build_array(r.attempt)
     FROM jsonb_to_recordset(?::jsonb) AS r (delivery_id uuid, claim integer, status text, next timestamptz, reason text, attempt jsonb)
     WHERE d.delivery_id = r.delivery_id AND d.status = 'pending' AND (r.status = 'delivered' OR d.claims = r.claim)`,
    [attemptsKept, JSON.stringify(told)],
  )
}

interface Standing {
  url: string
  health: Health
  lastSuccessAt: string | null
}

async function lockEndpoints(tx: Transaction, results: readonly Result[]): Promise<Map<string, Standing>> {
  const ids = [...new Set(results.map((r) => r.endpointId))]
  const failed = new Set(results.filter((r) => !isDelivered(r.heard)).map((r) => r.endpointId))
  // Most of the time everything is well and nothing is to be noted: then nobody waits for anybody.
  const found = await rows<{ endpointId: string; url: string; score: number; scoredAt: string; fencedUntil: string | null; lastSuccessAt: string | null }>(
    tx,
    `SELECT endpoint_id AS "endpointId", url, score, scored_at AS "scoredAt", fenced_until AS "fencedUntil", last_success_at AS "lastSuccessAt" FROM webhook_endpoints
     WHERE endpoint_id = ANY(?) AND status = 'enabled' AND (endpoint_id = ANY(?) OR score > 0 OR fenced_until IS NOT NULL OR last_success_at IS NULL OR last_success_at < now() - ? * interval '1 millisecond')
     ORDER BY endpoint_id FOR UPDATE`,
    [ids, [...failed], successNotedMs],
  )
  return new Map(found.map(({ endpointId, url, lastSuccessAt, ...health }) => [endpointId, { url, health: readHealth(health), lastSuccessAt }]))
}

async function noteHealth(tx: Transaction, endpointId: string, standing: Standing, mine: readonly Settled[], now: number): Promise<void> {
  const health = mine.reduce((before, { heard }) => (isDelivered(heard) ? healthy : pausedAsAsked(afterFault(before, now, webhookBreaker), heard, now)), standing.health)
  const succeeded = mine.some(({ heard }) => isDelivered(heard))
  await run(
    tx,
    `UPDATE webhook_endpoints SET score = ?, scored_at = ?, fenced_until = ?, last_success_at = CASE WHEN ? THEN now() ELSE last_success_at END WHERE endpoint_id = ?`,
    [health.score, new Date(now).toISOString(), health.fencedUntil === null ? null : new Date(health.fencedUntil).toISOString(), succeeded, endpointId],
  )
  const dead = mine.filter(({ status }) => status === 'dead')
  if (mine.some(({ heard }) => isGone(heard))) await disableFailing(tx, endpointId, 'answered 410: it is gone')
  else if (!succeeded && dead.some(({ delivery }) => standing.lastSuccessAt === null || standing.lastSuccessAt < delivery.queuedAt)) await disableFailing(tx, endpointId, 'took nothing for three days')
  if (dead.length > 0) await openForDead(tx, endpointId, dead)
}

/** An endpoint that says how long it wants to be left alone is left alone. */
const pausedAsAsked = (health: Health, { retryAfterMs }: Heard, now: number): Health =>
  retryAfterMs === null ? health : { ...health, fencedUntil: Math.max(health.fencedUntil ?? 0, now + retryAfterMs) }

/** One case per endpoint, however many messages it did not take. */
async function openForDead(tx: Transaction, endpointId: string, dead: readonly Settled[]): Promise<void> {
  const { delivery, reason } = dead[0]!
  await openException(tx, {
    orderId: null,
    channel: null,
    kind: 'webhook.undelivered',
    subject: endpointId,
    owner: 'operations',
    summary: `A webhook endpoint did not take ${delivery.type} for three days: ${reason}`,
    data: { endpointId, deliveryId: delivery.deliveryId, orderId: delivery.orderId, reason },
  })
}
