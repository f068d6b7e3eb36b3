/** Webhook endpoints: made, switched, given another secret, taken back to an earlier event. Who may do so is the api's concern. */
import { uuidv7 } from 'uuidv7'
import { refuse } from '../domain/refusals'
import { retrySettings } from '../domain/webhooks/attempt'
import { writeAudit } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'
import { self } from './events'
import { openException } from './waiting'
import { feedEnd, type Position } from './views/events'

export interface NewEndpoint {
  url: string
  eventTypes: readonly string[] | null
  channels: readonly string[] | null
  description: string
  apiVersion: string
  secret: string
  actor: string
}

/** It hears what happens from now on. */
export async function addEndpoint(tx: Transaction, wanted: NewEndpoint): Promise<string> {
  const endpointId = uuidv7()
  const from = await feedEnd(tx)
  await run(
    tx,
    `INSERT INTO webhook_endpoints (endpoint_id, url, event_types, channels, description, api_version, secret, cursor_xid, cursor_seq, created_by) VALUES (?, ?, ?::text[], ?::text[], ?, ?, ?, ?::xid8, ?, ?)`,
    [endpointId, wanted.url, listed(wanted.eventTypes), listed(wanted.channels), wanted.description, wanted.apiVersion, wanted.secret, from.xid, from.seq, wanted.actor],
  )
  await writeAudit(tx, { actor: wanted.actor, action: 'webhook_endpoint.add', subject: endpointId, cause: wanted.url })
  return endpointId
}
const listed = (values: readonly string[] | null): string[] | null => values && [...values]

export interface EditedEndpoint {
  url?: string
  eventTypes?: readonly string[] | null
  channels?: readonly string[] | null
  description?: string
}

/**
 * What is named becomes as it says, for what is told from now on; what waits already goes to the new address. One that led elsewhere may have been
 * left alone for what it answered there: it is tried at once.
 */
export async function editEndpoint(tx: Transaction, endpointId: string, { actor, ...wanted }: EditedEndpoint & { actor: string }): Promise<void> {
  const columns = { url: wanted.url, event_types: wanted.eventTypes, channels: wanted.channels, description: wanted.description }
  const named = Object.entries(columns).filter(([, value]) => value !== undefined)
  const arrays = ['event_types', 'channels']
  const sets = named.map(([column]) => `${column} = ${arrays.includes(column) ? '?::text[]' : '?'}`)
  if (wanted.url !== undefined) sets.push('score = CASE WHEN url = ? THEN score ELSE 0 END', 'fenced_until = CASE WHEN url = ? THEN fenced_until END')
  const bindings = [...named.map(([, value]) => (Array.isArray(value) ? [...(value as string[])] : value)), ...(wanted.url === undefined ? [] : [wanted.url, wanted.url])]
  if (wanted.url !== undefined) {
    await run(
      tx,
      `UPDATE webhook_deliveries d SET next_attempt_at = now() FROM webhook_endpoints e WHERE d.endpoint_id = ? AND e.endpoint_id = d.endpoint_id AND e.url <> ? AND d.status = 'pending' AND d.failures > 0`,
      [endpointId, wanted.url],
    )
  }
  await run(tx, `UPDATE webhook_endpoints SET ${sets.join(', ')} WHERE endpoint_id = ?`, [...bindings, endpointId])
  const words = Object.entries(wanted).filter(([, value]) => value !== undefined)
  const cause = words.map(([name, value]) => (name === 'description' ? name : `${name}: ${value === null ? 'all' : String(value)}`)).join('; ')
  await writeAudit(tx, { actor, action: 'webhook_endpoint.edit', subject: endpointId, cause })
}

interface HeldEndpoint {
  endpointId: string
  status: 'enabled' | 'disabled' | 'deleted'
  channels: string[] | null
}

/** Locks an endpoint for a command. @throws `webhook_endpoint.unknown` */
export async function holdEndpoint(tx: Transaction, endpointId: string, { deletedToo = false }: { deletedToo?: boolean } = {}): Promise<HeldEndpoint> {
  const held = await row<HeldEndpoint>(tx, `SELECT endpoint_id AS "endpointId", status, channels FROM webhook_endpoints WHERE endpoint_id = ? FOR UPDATE`, [endpointId])
  if (!held || (held.status === 'deleted' && !deletedToo)) throw refuse('webhook_endpoint.unknown')
  return held
}

/** It goes on where it stopped, with all the time that a new message has; and it is tried at once. */
export async function enableEndpoint(tx: Transaction, endpointId: string, actor: string): Promise<void> {
  await run(tx, `UPDATE webhook_endpoints SET status = 'enabled', disabled_reason = NULL, score = 0, fenced_until = NULL WHERE endpoint_id = ?`, [endpointId])
  await run(
    tx,
    `UPDATE webhook_deliveries SET next_attempt_at = now(), failures = 0, give_up_at = now() + ? * interval '1 millisecond' WHERE endpoint_id = ? AND status = 'pending'`,
    [retrySettings.giveUpMs, endpointId],
  )
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = 'enabled again', resolved_by = ? WHERE kind = 'webhook.endpoint_disabled' AND subject = ? AND resolved_at IS NULL`, [self, endpointId])
  await writeAudit(tx, { actor, action: 'webhook_endpoint.enable', subject: endpointId, cause: 'asked for' })
}

/** What waits for it goes on waiting. */
export async function disableEndpoint(tx: Transaction, endpointId: string, { reason, actor }: { reason: string; actor: string }): Promise<void> {
  await run(tx, `UPDATE webhook_endpoints SET status = 'disabled', disabled_reason = ? WHERE endpoint_id = ?`, [reason, endpointId])
  await writeAudit(tx, { actor, action: 'webhook_endpoint.disable', subject: endpointId, cause: reason })
}

/** Disabled by what it answered: somebody has to look. */
export async function disableFailing(tx: Transaction, endpointId: string, reason: string): Promise<void> {
  await disableEndpoint(tx, endpointId, { reason, actor: self })
  await openException(tx, {
    orderId: null,
    channel: null,
    kind: 'webhook.endpoint_disabled',
    subject: endpointId,
    owner: 'operations',
    summary: `A webhook endpoint is disabled: ${reason}`,
    data: { endpointId, reason },
  })
}

/** Nothing more is sent there; the log of what was is kept, and what waited says why it was given up. */
export async function removeEndpoint(tx: Transaction, endpointId: string, actor: string): Promise<void> {
  await run(tx, `UPDATE webhook_endpoints SET status = 'deleted', disabled_reason = 'deleted' WHERE endpoint_id = ?`, [endpointId])
  await run(tx, `UPDATE webhook_deliveries SET status = 'dead', reason = 'the endpoint was deleted', settled_at = now() WHERE endpoint_id = ? AND status = 'pending'`, [endpointId])
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = 'the endpoint was deleted', resolved_by = ? WHERE kind LIKE 'webhook.%' AND subject = ? AND resolved_at IS NULL`, [self, endpointId])
  await writeAudit(tx, { actor, action: 'webhook_endpoint.delete', subject: endpointId, cause: 'asked for' })
}

/** The old secret signs beside the new one for `keepMs`; one that was still kept before that is forgotten. */
export async function rotateSecret(tx: Transaction, endpointId: string, { secret, keepMs, actor }: { secret: string; keepMs: number; actor: string }): Promise<void> {
  await run(
    tx,
    `UPDATE webhook_endpoints SET previous_secret = secret, previous_until = now() + ? * interval '1 millisecond', secret = ? WHERE endpoint_id = ?`,
    [keepMs, secret, endpointId],
  )
  await writeAudit(tx, { actor, action: 'webhook_endpoint.rotate_secret', subject: endpointId, cause: 'asked for' })
}

export const secretOf = async (db: Db | Transaction, endpointId: string): Promise<string> =>
  (await row<{ secret: string }>(db, 'SELECT secret FROM webhook_endpoints WHERE endpoint_id = ?', [endpointId]))!.secret

/** Everything that happened from `from` on is sent again, in order; what it has not heard yet comes after it. */
export async function replayFrom(tx: Transaction, endpointId: string, { from, actor }: { from: string; actor: string }): Promise<void> {
  const place = await positionBefore(tx, from)
  await run(
    tx,
    'UPDATE webhook_endpoints SET cursor_xid = ?::xid8, cursor_seq = ? WHERE endpoint_id = ? AND (cursor_xid, cursor_seq) > (?::xid8, ?)',
    [place.xid, place.seq, endpointId, place.xid, place.seq],
  )
  await writeAudit(tx, { actor, action: 'webhook_endpoint.replay', subject: endpointId, cause: `from ${from}` })
}

/** The last place in the log that lies before everything of `from` and later. */
async function positionBefore(tx: Transaction, from: string): Promise<Position> {
  const [first] = await rows<Position>(
    tx,
    `WITH since AS MATERIALIZED (SELECT xid, seq FROM order_events WHERE at >= ?::timestamptz)
     SELECT since.xid::text AS xid, since.seq - 1 AS seq FROM since ORDER BY since.xid, since.seq LIMIT 1`,
    [from],
  )
  return first ?? feedEnd(tx)
}
