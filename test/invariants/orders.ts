/** What must always hold of orders, and of what they and their workflows say. */
import { orderWorkflowId } from '../../domain/ids'
import { fulfillmentMoves } from '../../domain/fulfillment/moves'
import type { OrderState } from '../../domain/messages'
import { rows } from '../../db/connection'
import { query, type Invariant, type World } from './world'

interface OrderLine {
  orderId: string
  channel: string
  channelOrderId: string
  open: boolean
  stage: string
  what: string | null
  fulfillments: Record<string, string>
}
const liveAndClosed = ({ db }: World): Promise<OrderLine[]> =>
  rows(
    db,
    `SELECT order_id AS "orderId", channel, channel_order_id AS "channelOrderId", workflow_open AS open, stage, waiting_on->>'what' AS what,
       (SELECT coalesce(jsonb_object_agg(fulfillment_id, status), '{}') FROM fulfillments f WHERE f.order_id = o.order_id) AS fulfillments FROM orders o ORDER BY order_id`,
  )

/** Looks at each order's workflow beside its row. */
const besideWorkflow = (id: string, says: string, broken: (order: OrderLine, running: boolean, state: () => Promise<OrderState>) => Promise<boolean>): Invariant => ({
  id,
  says,
  when: 'quiet',
  async violations(world) {
    if (!world.client) return []
    const found: object[] = []
    for (const order of await liveAndClosed(world)) {
      const handle = world.client.workflow.getHandle(orderWorkflowId(order.channel, order.channelOrderId))
      const running = (await handle.describe().catch(() => undefined))?.status.name === 'RUNNING'
      if (await broken(order, running, () => handle.query<OrderState>('orderState'))) found.push({ orderId: order.orderId })
    }
    return found
  },
})

/** Picking is rows; the workflow knows of a fulfillment only what its decisions need. */
const asTheWorkflowSees = (status: string): string => (['picking', 'picked'].includes(status) ? 'released' : status === 'in_transit' ? 'handed_over' : status)

const acknowledgedAreThere: Invariant = {
  id: 'O1',
  says: 'every acknowledged submit is one order with one start',
  when: 'always',
  async violations({ db, acknowledged = [] }) {
    const there = await rows<{ orderId: string }>(db, 'SELECT o.order_id AS "orderId" FROM orders o JOIN workflow_starts s USING (order_id)')
    const known = new Set(there.map((o) => o.orderId))
    return acknowledged.filter((orderId) => !known.has(orderId)).map((orderId) => ({ orderId }))
  },
}

const moves = Object.entries(fulfillmentMoves).flatMap(([from, to]) => to.map((t) => `('${from}', '${t}')`)).join(', ')

export const orders: readonly Invariant[] = [
  acknowledgedAreThere,
  query('O1-started', 'no order is left in the start queue', 'quiet', `SELECT o.order_id FROM orders o LEFT JOIN workflow_starts s USING (order_id) WHERE s.done_at IS NULL`),
  query('O2', 'a channel’s number is one order', 'always', `SELECT channel, channel_order_id FROM orders GROUP BY 1, 2 HAVING count(*) > 1`),
  query('O3', 'a live order names what it waits on and since when', 'always', `SELECT order_id FROM orders WHERE workflow_open AND stage = 'open' AND (waiting_on->>'what' IS NULL OR waiting_on->>'since' IS NULL)`),
  besideWorkflow('O3-agrees', 'the workflow waits on what the row says', async (order, running, state) => running && (await state()).waitingOn?.what !== order.what),
  query('O4', 'a fulfillment has the times its status implies, along the table of moves', 'always',
    `WITH allowed(was, became) AS (VALUES ${moves}) SELECT fulfillment_id FROM fulfillments f
     WHERE (handed_over_at IS NOT NULL) <> (status IN ('handed_over', 'in_transit', 'delivered', 'collected', 'returning', 'returned', 'lost'))
        OR (ended_at IS NOT NULL) <> (NOT EXISTS (SELECT 1 FROM allowed WHERE was = f.status))`),
  query('O4-final', 'an order ends once', 'always', `SELECT order_id FROM order_events WHERE type IN ('order.completed', 'order.cancelled') GROUP BY 1 HAVING count(*) > 1`),
  besideWorkflow('O5', 'the workflow sees the fulfillments the rows have', async (order, running, state) => {
    if (!running) return false
    const seen = (await state()).fulfillments
    return Object.entries(order.fulfillments).some(([id, status]) => asTheWorkflowSees(seen[id] ?? '') !== asTheWorkflowSees(status))
  }),
  besideWorkflow('O6', 'the row says that the workflow is open exactly while it is', (order, running) => Promise.resolve(order.open !== running)),
  query('O7', 'ordered = shipped + cancelled + open, and no more is delivered or returned than shipped', 'always',
    `SELECT order_id, line_id FROM order_lines WHERE shipped + cancelled + allocated + backordered > quantity OR delivered > shipped OR returned > shipped`),
  query('O7-closed', 'a closed order has nothing open', 'quiet', `SELECT l.order_id FROM order_lines l JOIN orders o USING (order_id) WHERE NOT workflow_open AND shipped + cancelled <> quantity`),
  query('A1-commands', 'every command that was carried out has its audit row', 'always', `SELECT command_id, route FROM idempotency_keys k WHERE answer_status < 400 AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.command_id = k.command_id)`),
  query('A1', 'every cancellation has its audit row', 'always', `SELECT order_id FROM orders WHERE stage = 'cancelled' AND NOT EXISTS (SELECT 1 FROM audit WHERE action = 'order.cancel' AND subject = order_id::text)`),
  query('N4', 'the timeline tells what the rows are', 'quiet',
    `SELECT order_id FROM orders o WHERE (stage = 'cancelled') <> EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.order_id AND type = 'order.cancelled')
       OR (stage = 'completed') <> EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.order_id AND type = 'order.completed')`),
  query('O8', 'a work order is in the wave it says, and in none once it was stopped', 'always',
    `SELECT f.fulfillment_id FROM fulfillments f LEFT JOIN wave_fulfillments m ON m.fulfillment_id = f.fulfillment_id AND m.left_at IS NULL
     WHERE f.wave_id IS DISTINCT FROM m.wave_id OR (m.wave_id IS NOT NULL AND f.status IN ('cancelled', 'rejected'))`),
  query('O10', 'the order’s row blocks exactly what its open holds block', 'always',
    `SELECT order_id FROM orders o WHERE ARRAY(SELECT unnest(blocked) ORDER BY 1) <> ARRAY(SELECT DISTINCT unnest(blocks) FROM holds h WHERE h.order_id = o.order_id AND h.ended_at IS NULL ORDER BY 1)`),
  query('O10-closed', 'nothing holds an order that has come to its end', 'quiet', `SELECT h.hold_id FROM holds h JOIN orders o USING (order_id) WHERE h.ended_at IS NULL AND NOT o.workflow_open`),
  query('O9', 'the packages of a work order hold exactly what was picked for it', 'always',
    `SELECT f.fulfillment_id FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE EXISTS (SELECT 1 FROM packages p WHERE p.fulfillment_id = f.fulfillment_id)
       AND l.picked <> (SELECT coalesce(sum((c->>'quantity')::int), 0) FROM packages p, jsonb_array_elements(p.lines) c WHERE p.fulfillment_id = f.fulfillment_id AND c->>'lineId' = l.line_id)`),
]
