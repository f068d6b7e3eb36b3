/** After a story: nothing is under way any more, and every invariant holds. */
import { checkInvariants } from '../invariants/checker'
import type { World } from '../invariants/world'
import { eventually } from './people'
import type { System } from './system'

/** @param outside what those outside have kept beside the bank, where the story has it */
export async function expectInvariants(system: System, outside: Pick<World, 'heard'> = {}): Promise<void> {
  const { db, client, payments } = system
  const quiet = async (): Promise<object[]> => {
    const busy = await db.raw<{ rows: object[] }>(
      `SELECT order_id::text AS busy FROM workflow_starts WHERE done_at IS NULL UNION ALL SELECT event_id FROM inbound_events WHERE status = 'queued'
       UNION ALL SELECT concat_ws(' ', order_id, status, stage, payment_status, waiting_on) FROM orders WHERE workflow_open AND (stage <> 'open' OR waiting_on->>'what' IN ('payment', 'sourcing', 'label', 'capture', 'void'))`,
    )
    return busy.rows
  }
  await eventually(quiet, (busy) => busy.length === 0, { what: 'quiet' })
  // A workflow that has just written its end needs a moment to close; ten seconds where a query of this checker made the SDK lose its last task (decision 0066).
  const violations = await eventually(() => checkInvariants({ db, client, paymentsUrl: payments.url, ...outside }, true), (v) => v.length === 0, { timeoutMs: 15_000, what: 'no violation' }).catch(async (cause: unknown) => {
    throw new Error(`${String(cause)}\n${await moneyOf(system, String(cause))}`, { cause })
  })
  expect(violations).toEqual([])
}

/** What became of the money of the order that a violation names first, for whoever has to find out. */
async function moneyOf({ db }: System, violation: string): Promise<string> {
  const [, orderId] = /"order_?[iI]d":"([0-9a-f-]+)"/.exec(violation) ?? []
  if (orderId === undefined) return ''
  const found = await Promise.all([
    ...['payment_operations', 'payments', 'counted_goodwill', 'goodwill_refunds', 'order_lines', 'returns'].map((table) => db(table).where({ order_id: orderId }) as Promise<object[]>),
    db('order_events').where({ order_id: orderId }).orderBy('seq').select('type', 'data') as Promise<object[]>,
    db('disputes').join('payments', 'payments.payment_id', 'disputes.payment_id').where({ order_id: orderId }).select('dispute_id', 'disputes.status', 'disputes.amount_minor') as Promise<object[]>,
  ])
  return found.map((rows) => JSON.stringify(rows)).join('\n')
}
