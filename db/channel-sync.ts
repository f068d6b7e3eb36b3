/** What keeps a channel and us in step: when it was last heard, how far it has been listed, which numbers of its sequence are missing, and who has fallen silent. */
import { accessColumns, type ChannelAccess } from './network'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface ListedChannel extends ChannelAccess {
  channelId: string
  /** Everything that changed before has been taken. */
  listedUntil: string
}

/** Channels that can be asked, each at most every so often; a gap in its numbers makes it due at once. Whoever gets one is the only one for that time. */
export const dueForListing = (db: Db, everySeconds: number): Promise<ListedChannel[]> =>
  rows(
    db,
    `UPDATE channels c SET listed_at = now() WHERE api IS NOT NULL AND api_token IS NOT NULL
       AND (listed_at IS NULL OR listed_at < now() - ? * interval '1 second' OR EXISTS (${missingSql} AND newest.received_at > c.listed_at))
     RETURNING ${columns}`,
    [everySeconds],
  )

export const listedChannel = (db: Db, channelId: string): Promise<ListedChannel | undefined> =>
  row(db, `UPDATE channels c SET listed_at = now() WHERE channel_id = ? AND api IS NOT NULL AND api_token IS NOT NULL RETURNING ${columns}`, [channelId])

const columns = `channel_id AS "channelId", ${accessColumns}, coalesce(listed_until, created_at) AS "listedUntil"`

/** The numbers that a channel has counted past, of its last thousand. */
const missingSql = `
  SELECT n.sequence FROM (SELECT max(sequence) AS last, min(sequence) AS first, max(received_at) AS received_at FROM channel_sequence WHERE channel = c.channel_id) newest,
    generate_series(greatest(newest.first, newest.last - 1000), newest.last) AS n(sequence)
  WHERE NOT EXISTS (SELECT 1 FROM channel_sequence s WHERE s.channel = c.channel_id AND s.sequence = n.sequence)`

export async function listedTo(db: Db, channelId: string, until: string): Promise<void> {
  await run(db, 'UPDATE channels SET listed_until = greatest(listed_until, ?) WHERE channel_id = ?', [until, channelId])
}

export interface KnownOrder {
  orderId: string | null
  stage: string | null
  quarantined: boolean
  /** The newest of what the channel has said of it, by its own clock. */
  saidAt: string | null
}

export const knownOrder = async (db: Db, channel: string, channelOrderId: string): Promise<KnownOrder> =>
  (await row<KnownOrder>(
    db,
    `SELECT o.order_id AS "orderId", o.stage, (SELECT max(said_at) FROM channel_documents WHERE channel = :channel AND channel_order_id = :channelOrderId) AS "saidAt",
       EXISTS (SELECT 1 FROM quarantine WHERE channel = :channel AND channel_order_id = :channelOrderId AND status = 'open') AS quarantined
     FROM (SELECT 1) one LEFT JOIN orders o ON o.channel = :channel AND o.channel_order_id = :channelOrderId`,
    { channel, channelOrderId },
  ))!

export interface ChannelHealth {
  channelId: string
  /** When it last said something by itself. */
  lastSeenAt: string | null
  listedUntil: string | null
  sequence: { last: number | null; missing: number[] }
  quarantine: { open: number; oldestAt: string | null }
}

export const channelHealth = (db: Db, channelId: string): Promise<ChannelHealth | undefined> =>
  row(
    db,
    `SELECT c.channel_id AS "channelId", ${lastSeenSql} AS "lastSeenAt", c.listed_until AS "listedUntil",
       json_build_object('last', (SELECT max(sequence) FROM channel_sequence WHERE channel = c.channel_id), 'missing', ARRAY(${missingSql} ORDER BY 1 LIMIT 100)) AS sequence,
       (SELECT json_build_object('open', count(*), 'oldestAt', to_char(min(received_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) FROM quarantine WHERE channel = c.channel_id AND status = 'open') AS quarantine
     FROM channels c WHERE channel_id = ?`,
    [channelId],
  )

/** What we fetched ourselves does not count: a channel that says nothing is silent, however much there is to fetch. */
const lastSeenSql = `(SELECT max(at) FROM unnest(ARRAY['shopify:' || c.channel_id, 'amazon:' || c.channel_id]) AS s(source), LATERAL (
  SELECT received_at AS at FROM inbound_events e WHERE e.source = s.source AND event_id NOT LIKE 'listed:%' ORDER BY received_at DESC LIMIT 1) newest)`

/** Channels that say how long they may be silent, and whether they have been longer. */
export const silences = (db: Db | Transaction): Promise<{ channelId: string; silence: string; lastSeenAt: string | null; createdAt: string }[]> =>
  rows(db, `SELECT channel_id AS "channelId", silence, created_at AS "createdAt", ${lastSeenSql} AS "lastSeenAt" FROM channels c WHERE silence IS NOT NULL`)
