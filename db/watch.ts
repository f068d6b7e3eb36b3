/** What nobody else would notice: queues that do not move, calls whose outcome stays unknown, orders that overstay their deadline. Each becomes an exception somebody owns. */
import { durationMs } from '../domain/policy/duration'
import { silences } from './channel-sync'
import { linksBehind } from './draft-links'
import { notMadeFor } from './left-undone'
import { rows, type Db, type Transaction } from './connection'
import { overdueQuarantine } from './quarantine'
import { openException, settleOthers, settleSubjects, type OpenException } from './waiting'

/** Any number nobody else uses for an advisory lock: one watcher at a time is enough. */
const watchLock = 7_204_483

export interface Patience {
  /** How long a start or a fact may wait in its queue. */
  queueMinutes: number
  /** How long the outcome of a call may stay unknown. */
  unknownMinutes: number
  /** How long money that was recorded to be taken or given back may wait until somebody asks for it. */
  intendedMinutes: number
  /** How long an order may stay past the deadline it names. */
  overdueMinutes: number
  /** How long a message may wait in quarantine. */
  quarantineHours: number
}
export const usualPatience: Patience = { queueMinutes: 10, unknownMinutes: 15, intendedMinutes: 30, overdueMinutes: 10, quarantineHours: 4 }

/** Opens an exception for everything that is stuck and has none yet. @returns how many things are stuck. */
export const openForStuck = (db: Db, patience: Patience = usualPatience): Promise<number> =>
  db.transaction(async (tx) => {
    const [lock] = await rows<{ mine: boolean }>(tx, 'SELECT pg_try_advisory_xact_lock(?) AS mine', [watchLock])
    if (!lock!.mine) return 0
    const stuck = [...(await stuckStarts(tx, patience)), ...(await stuckFacts(tx, patience)), ...(await stuckArrivals(tx, patience)), ...(await unknownOutcomes(tx, patience)), ...(await notMade(tx, patience)), ...(await overdueOrders(tx, patience)), ...(await missedPromises(tx)), ...(await unscannedParcels(tx)), ...(await silentChannels(tx)), ...(await oldQuarantine(tx, patience)), ...(await stuckLinks(tx, patience))]
    for (const one of stuck) await openException(tx, one)
    return stuck.length
  })

const stuckStarts = async (tx: Transaction, { queueMinutes }: Patience): Promise<OpenException[]> => {
  const found = await rows<{ orderId: string; channel: string; attempts: number; lastError: string | null }>(
    tx,
    `SELECT s.order_id AS "orderId", o.channel, s.attempts, s.last_error AS "lastError" FROM workflow_starts s JOIN orders o USING (order_id)
     WHERE s.done_at IS NULL AND s.queued_at < now() - ? * interval '1 minute' ORDER BY s.queued_at LIMIT 100`,
    [queueMinutes],
  )
  return found.map((f) => ({
    orderId: f.orderId,
    channel: f.channel,
    kind: 'order.not_started',
    subject: f.orderId,
    owner: 'operations',
    summary: 'The order is accepted and its workflow has not been started: is Temporal reachable?',
    data: { attempts: f.attempts, lastError: f.lastError },
  }))
}

const stuckFacts = async (tx: Transaction, { queueMinutes }: Patience): Promise<OpenException[]> => {
  const found = await rows<{ source: string; eventId: string; kind: string; subject: string; attempts: number; lastError: string | null }>(
    tx,
    `SELECT source, event_id AS "eventId", kind, subject, attempts, last_error AS "lastError" FROM inbound_events
     WHERE status = 'queued' AND received_at < now() - ? * interval '1 minute' ORDER BY received_at LIMIT 100`,
    [queueMinutes],
  )
  return found.map((f) => ({
    orderId: null,
    channel: null,
    kind: 'inbox.stuck',
    subject: `${f.source} ${f.eventId}`,
    owner: 'operations',
    summary: `A message from ${f.source} cannot be applied`,
    data: { kind: f.kind, subject: f.subject, attempts: f.attempts, lastError: f.lastError },
  }))
}

const stuckArrivals = async (tx: Transaction, { queueMinutes }: Patience): Promise<OpenException[]> => {
  const found = await rows<{ sku: string; since: string }>(
    tx,
    `SELECT sku, min(at) AS since FROM stock_arrivals GROUP BY sku HAVING min(at) < now() - ? * interval '1 minute' ORDER BY 2 LIMIT 100`,
    [queueMinutes],
  )
  return found.map(({ sku, since }) => ({
    orderId: null,
    channel: null,
    kind: 'stock.untold',
    subject: sku,
    owner: 'operations',
    summary: `Stock of ${sku} has come and the orders that wait for it are not told: is Temporal reachable?`,
    data: { sku, since },
  }))
}

const unknownOutcomes = async (tx: Transaction, { unknownMinutes }: Patience): Promise<OpenException[]> => {
  const found = await rows<{ orderId: string; channel: string; operationId: string; kind: string }>(
    tx,
    `SELECT op.order_id AS "orderId", o.channel, op.operation_id AS "operationId", op.kind FROM payment_operations op JOIN orders o ON o.order_id = op.order_id
     WHERE op.status = 'unknown' AND op.last_called_at < now() - ? * interval '1 minute' ORDER BY op.last_called_at LIMIT 100`,
    [unknownMinutes],
  )
  return found.map((f) => ({
    orderId: f.orderId,
    channel: f.channel,
    kind: 'payment.outcome_unknown',
    subject: f.operationId,
    owner: 'finance',
    summary: `It is not known whether the payment provider did the ${f.kind}: look it up at the provider`,
    data: { operationId: f.operationId, kind: f.kind },
  }))
}

const notMade = async (tx: Transaction, { intendedMinutes }: Patience): Promise<OpenException[]> => {
  const found = await notMadeFor(tx, intendedMinutes)
  return found.map(({ orderId, channel, operationId, kind, amountMinor, workflowOpen }) => ({
    orderId,
    channel,
    kind: 'payment.not_made',
    subject: operationId,
    owner: 'finance',
    summary: `A ${kind} is recorded for ${intendedMinutes} minutes, and nobody has asked the payment provider for it`,
    data: { operationId, kind, amountMinor, workflowOpen },
  }))
}

const overdueOrders = async (tx: Transaction, { overdueMinutes }: Patience): Promise<OpenException[]> => {
  const found = await rows<{ orderId: string; channel: string; what: string; deadline: string }>(
    tx,
    `SELECT order_id AS "orderId", channel, waiting_on->>'what' AS what, waiting_on->>'deadline' AS deadline FROM orders
     WHERE workflow_open AND (waiting_on->>'deadline')::timestamptz < now() - ? * interval '1 minute' ORDER BY order_id LIMIT 100`,
    [overdueMinutes],
  )
  return found.map((f) => ({
    orderId: f.orderId,
    channel: f.channel,
    kind: 'order.stuck',
    subject: f.orderId,
    owner: 'operations',
    summary: `The order should have gone on by ${f.deadline}: look at its workflow in the Temporal UI, and whether workers run`,
    data: { waitsOn: f.what, deadline: f.deadline },
  }))
}

/** Said once per order: somebody who has settled it does not hear of it again. */
const notYetTold = (kind: string, subject: string): string => `NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.kind = '${kind}' AND e.subject = ${subject}::text)`

/** A promised time has passed, and the order has not arrived. */
const missedPromises = async (tx: Transaction): Promise<OpenException[]> => {
  const found = await rows<{ orderId: string; channel: string; promisedBy: string; status: string }>(
    tx,
    `SELECT order_id AS "orderId", channel, promise->>'promisedBy' AS "promisedBy", status FROM orders o
     WHERE workflow_open AND stage = 'open' AND status <> 'delivered' AND (promise->>'promisedBy')::timestamptz < now() AND ${notYetTold('promise.missed', 'o.order_id')}
     ORDER BY order_id LIMIT 100`,
  )
  return found.map((f) => ({
    orderId: f.orderId,
    channel: f.channel,
    kind: 'promise.missed',
    subject: f.orderId,
    owner: 'support',
    summary: `Promised by ${f.promisedBy} and not delivered: tell the customer before she asks`,
    data: { promisedBy: f.promisedBy, status: f.status },
  }))
}

/** Handed over, and the carrier has not scanned it by the time at which it must be on its way. */
const unscannedParcels = async (tx: Transaction): Promise<OpenException[]> => {
  const found = await rows<{ orderId: string; channel: string; fulfillmentId: string; carrier: string; trackingNumber: string; scanBy: string }>(
    tx,
    `SELECT o.order_id AS "orderId", o.channel, f.fulfillment_id AS "fulfillmentId", p.carrier, p.tracking_number AS "trackingNumber", o.promise->'milestones'->f.node_id->>'scanBy' AS "scanBy"
     FROM fulfillments f JOIN orders o USING (order_id) JOIN packages p USING (fulfillment_id)
     WHERE f.status = 'handed_over' AND p.status = 'label_created' AND (o.promise->'milestones'->f.node_id->>'scanBy')::timestamptz < now() AND ${notYetTold('promise.not_scanned', 'f.fulfillment_id')}
     ORDER BY f.fulfillment_id LIMIT 100`,
  )
  return found.map((f) => ({
    orderId: f.orderId,
    channel: f.channel,
    kind: 'promise.not_scanned',
    subject: f.fulfillmentId,
    owner: 'support',
    summary: `${f.carrier} has not scanned ${f.trackingNumber} by ${f.scanBy}: ask where it is while the promise can still be kept`,
    data: { trackingNumber: f.trackingNumber, scanBy: f.scanBy },
  }))
}

/** Channels that say how long they may be silent, and have been longer; one that speaks again needs nobody any more. */
const silentChannels = async (tx: Transaction): Promise<OpenException[]> => {
  const channels = (await silences(tx)).map((c) => ({ ...c, isSilent: Date.now() - Date.parse(c.lastSeenAt ?? c.createdAt) > durationMs(c.silence) }))
  await settleSubjects(tx, 'channel.silent', channels.filter((c) => !c.isSilent).map((c) => c.channelId), 'it speaks again')
  return channels.filter((c) => c.isSilent).map(({ channelId, lastSeenAt, silence }) => ({
    orderId: null,
    channel: null,
    kind: 'channel.silent',
    subject: channelId,
    owner: 'operations',
    summary: `${channelId} has said nothing for longer than ${silence}: are its messages still sent here?`,
    data: { channelId, lastSeenAt },
  }))
}

/** Customers wait behind these messages: one case for each channel, until its quarantine is young again. */
const oldQuarantine = async (tx: Transaction, { quarantineHours }: Patience): Promise<OpenException[]> => {
  const old = await overdueQuarantine(tx, quarantineHours)
  await settleOthers(tx, 'quarantine.overdue', old.map((o) => o.channel), 'nothing waits that long any more')
  return old.map(({ channel, open, oldestAt }) => ({
    orderId: null,
    channel: null,
    kind: 'quarantine.overdue',
    subject: channel,
    owner: 'support',
    summary: `${open} messages of ${channel} wait in quarantine since ${oldestAt}: repair or dismiss them`,
    data: { channel, open, oldestAt },
  }))
}

/** A customer waits for a link, or has paid at one, and the provider or we do not come to it: one case for each draft, until it has gone on. */
const stuckLinks = async (tx: Transaction, { queueMinutes, overdueMinutes }: Patience): Promise<OpenException[]> => {
  const behind = await linksBehind(tx, { queueMinutes, overdueMinutes })
  await settleOthers(tx, 'draft.link_stuck', behind.map((l) => l.draftId), 'it has gone on')
  return behind.map(({ draftId, linkId, status, lastError }) => ({
    orderId: null,
    channel: null,
    kind: 'draft.link_stuck',
    subject: draftId,
    owner: 'operations',
    summary: 'A payment link of a draft does not go on: is the payment provider reachable, and do workers run?',
    data: { draftId, linkId, status, lastError },
  }))
}
