/** The list that a node works from: what is due first comes first, then what is most urgent, then what is oldest. Keyset pages, each as quick as the first. */
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { row, rows, type Db } from '../connection'
import { fulfillmentColumns, withActions, type FulfillmentFacts, type FulfillmentView } from './fulfillments'
import { Conditions } from './sql'

export interface WorkFilter {
  nodeId?: string
  /** `open`: whatever is still in the building. */
  status?: FulfillmentStatus | 'open'
  assignee?: string
  /** Only these nodes; null: all. */
  nodes: readonly string[] | null
  /** The last one of the page before. */
  after?: string
  limit: number
}

const key = 'f.due_first, f.urgency, f.fulfillment_id'
/** Said as in the index, so that it is found. */
const isOpen = `f.status IN ('released', 'picking', 'picked', 'packed', 'ready')`

/** What a node works on, and the transfers that come to it. */
export async function workList(db: Db, filter: WorkFilter, role: string): Promise<FulfillmentView[]> {
  const last = filter.after === undefined ? undefined : await placeInList(db, filter.after)
  if (filter.after !== undefined && !last) return []
  const nodes = nodesOf(filter)
  const leg = (column: 'node_id' | 'to_node_id' | undefined): { sql: string; bindings: unknown[] } => {
    const where = new Conditions()
    if (column) where.add(`f.${column} = n.node_id`)
    if (filter.status === 'open') where.add(isOpen)
    else where.when(filter.status, 'f.status = ?')
    where.when(filter.assignee, 'f.assignee = ?')
    if (last) where.add(`(${key}) > (?::timestamptz, ?::smallint, ?::uuid)`, last.due, last.urgency, filter.after)
    return { sql: `(SELECT ${key} FROM fulfillments f ${where.where} ORDER BY ${key} LIMIT ?)`, bindings: [...where.bindings, filter.limit] }
  }
  const legs = nodes ? [leg('node_id'), leg('to_node_id')] : [leg(undefined)]
  const from = nodes ? `unnest(?::text[]) AS n(node_id) CROSS JOIN LATERAL (${legs.map((l) => l.sql).join(' UNION ALL ')}) AS f` : `${legs[0]!.sql} AS f`
  const found = await rows<FulfillmentFacts>(
    db,
    `WITH page AS (SELECT DISTINCT ${key} FROM ${from} ORDER BY ${key} LIMIT ?)
     SELECT ${fulfillmentColumns} FROM page JOIN fulfillments f USING (fulfillment_id) JOIN orders o USING (order_id) ORDER BY ${key}`,
    [...(nodes ? [nodes] : []), ...legs.flatMap((l) => l.bindings), filter.limit],
  )
  return found.map((f) => withActions(f, role))
}

/** The instant as PostgreSQL keeps it, to the microsecond. */
const placeInList = (db: Db, fulfillmentId: string): Promise<{ due: string; urgency: number } | undefined> =>
  row(db, 'SELECT due_first::text AS due, urgency FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId])

function nodesOf({ nodeId, nodes }: WorkFilter): string[] | null {
  if (nodeId === undefined) return nodes && [...nodes]
  return nodes === null || nodes.includes(nodeId) ? [nodeId] : []
}
