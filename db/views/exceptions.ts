/** Reads what waits on a person: the exception queue, oldest first, and messages in quarantine. */
import { row, rows, type Db, type Transaction } from '../connection'
import { Conditions } from './sql'

export interface ExceptionView {
  exceptionId: string
  orderId: string | null
  channel: string | null
  channelOrderId: string | null
  kind: string
  subject: string
  owner: string
  assignee: string | null
  summary: string
  data: Record<string, unknown>
  deadline: string | null
  openedAt: string
  ageSeconds: number
  status: 'open' | 'resolved'
  resolvedAt: string | null
  resolution: string | null
  resolvedBy: string | null
}

const columns = `e.exception_id AS "exceptionId", e.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId", e.kind, e.subject, e.owner, e.assignee, e.summary,
  e.data, e.deadline, e.opened_at AS "openedAt", floor(extract(epoch FROM coalesce(e.resolved_at, now()) - e.opened_at))::int AS "ageSeconds",
  CASE WHEN e.resolved_at IS NULL THEN 'open' ELSE 'resolved' END AS status, e.resolved_at AS "resolvedAt", e.resolution, e.resolved_by AS "resolvedBy"`
const from = 'exceptions e LEFT JOIN orders o USING (order_id)'

export const exceptionView = (db: Db | Transaction, exceptionId: string): Promise<ExceptionView | undefined> =>
  row(db, `SELECT ${columns} FROM ${from} WHERE e.exception_id = ?`, [exceptionId])

export interface ExceptionFilter {
  owner?: string
  kind?: string
  assignee?: string
  orderId?: string
  status: 'open' | 'resolved' | 'all'
  /** Only orders with work at these nodes; null: all. */
  nodes: readonly string[] | null
  after?: string
  limit: number
}

/** Ids are in time order, so the oldest comes first. */
export function exceptionList(db: Db, filter: ExceptionFilter): Promise<ExceptionView[]> {
  const where = new Conditions()
    .when(filter.owner, 'e.owner = ?')
    .when(filter.kind, 'e.kind = ?')
    .when(filter.assignee, 'e.assignee = ?')
    .when(filter.orderId, 'e.order_id = ?')
    .when(filter.nodes && [...filter.nodes], 'EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = e.order_id AND f.node_id = ANY(?))')
    .when(filter.after, 'e.exception_id > ?')
  if (filter.status !== 'all') where.add(`e.resolved_at IS ${filter.status === 'open' ? '' : 'NOT '}NULL`)
  return rows(db, `SELECT ${columns} FROM ${from} ${where.where} ORDER BY e.exception_id LIMIT ?`, [...where.bindings, filter.limit])
}

export interface QuarantineView {
  quarantineId: string
  channel: string
  source: string
  eventId: string
  body: unknown
  reasons: unknown
  status: string
  orderId: string | null
  /** What it was: an order, or a change, a cancellation or a refund of one. */
  topic: string
  channelOrderId: string | null
  assignee: string | null
  /** Why it is no order, where somebody said so, or how else it ended. */
  resolution: string | null
  ageSeconds: number
  receivedAt: string
  retriedAt: string | null
}

const quarantineColumns = `quarantine_id AS "quarantineId", channel, source, event_id AS "eventId", topic, channel_order_id AS "channelOrderId", body, reasons, status, order_id AS "orderId", assignee, resolution,
  floor(extract(epoch FROM coalesce(ended_at, now()) - received_at))::int AS "ageSeconds", received_at AS "receivedAt", retried_at AS "retriedAt"`

export const quarantinedView = (db: Db | Transaction, quarantineId: string): Promise<QuarantineView | undefined> => row(db, `SELECT ${quarantineColumns} FROM quarantine WHERE quarantine_id = ?`, [quarantineId])

/** Newest first. */
export function quarantineList(db: Db, filter: { channel?: string; status?: string; before?: string; limit: number }): Promise<QuarantineView[]> {
  const where = new Conditions().when(filter.channel, 'channel = ?').when(filter.status, 'status = ?').when(filter.before, 'quarantine_id < ?')
  return rows(
    db,
    `SELECT ${quarantineColumns} FROM quarantine ${where.where} ORDER BY quarantine_id DESC LIMIT ?`,
    [...where.bindings, filter.limit],
  )
}
