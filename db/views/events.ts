/**
 * Reads the timeline: of one order, and as a feed of everything. A sequence number is not commit order, so the feed is read in (xid, seq)
 * order and only below the oldest transaction still running: what commits late comes late, and is never skipped.
 */
import { row, rows, type Db, type Transaction } from '../connection'

export interface TimelineEvent {
  seq: number
  at: string
  type: string
  actor: string
  data: Record<string, unknown>
}
export interface FeedEvent extends TimelineEvent {
  xid: string
  orderId: string
  channel: string
}
/** A place in the feed: everything up to and including it has been seen. */
export interface Position {
  xid: string
  seq: number
}
export const beginning: Position = { xid: '0', seq: 0 }

/** Whose events: one order's, or those of some channels (null: all). */
export interface FeedFilter {
  orderId?: string
  channels: readonly string[] | null
}

export const timeline = (db: Db, orderId: string, after: number, limit: number): Promise<TimelineEvent[]> =>
  rows(db, 'SELECT seq, at, type, actor, data FROM order_events WHERE order_id = ? AND seq > ? ORDER BY seq LIMIT ?', [orderId, after, limit])

/** Now: every event of a transaction that has ended lies at or before it. */
export async function feedEnd(db: Db | Transaction): Promise<Position> {
  const end = await row<{ xid: string }>(db, 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid')
  return { xid: end!.xid, seq: 0 }
}

/** Where the event with this number stands; for a number that was never given, the one before it. */
export async function positionOf(db: Db, seq: number): Promise<Position> {
  return (await row<Position>(db, 'SELECT xid::text AS xid, seq FROM order_events WHERE seq <= ? ORDER BY seq DESC LIMIT 1', [seq])) ?? beginning
}

// What is given out as text must not be sorted as text: 999 comes before 1000.
const columns = 'seq, xid::text AS xid, order_id AS "orderId", channel, type, actor, data, at'

/** What was committed after `after` and is final. */
export const readFeed = (db: Db, after: Position, limit: number): Promise<FeedEvent[]> =>
  rows(
    db,
    `SELECT ${columns} FROM order_events WHERE (xid, seq) > (?::xid8, ?) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY order_events.xid, seq LIMIT ?`,
    [after.xid, after.seq, limit],
  )

/** The part of the feed after `after`, up to and including `upTo`, that `filter` lets through. */
export function readPast(db: Db, filter: FeedFilter, after: Position, upTo: Position, limit: number): Promise<FeedEvent[]> {
  const narrowed = [filter.orderId ? 'AND order_id = ?' : '', filter.channels ? 'AND channel = ANY(?)' : ''].join(' ')
  const given = [...(filter.orderId ? [filter.orderId] : []), ...(filter.channels ? [[...filter.channels]] : [])]
  return rows(
    db,
    `SELECT ${columns} FROM order_events WHERE (xid, seq) > (?::xid8, ?) AND (xid, seq) <= (?::xid8, ?) ${narrowed} ORDER BY order_events.xid, seq LIMIT ?`,
    [after.xid, after.seq, upTo.xid, upTo.seq, ...given, limit],
  )
}
