/** Thousands of open orders are cancelled at once, while channels go on submitting; afterwards nothing is half done. */
import { anOrder, createCaller, percentile, stockUp, type Call } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

const withinMinutes = 10
const submittedAtOnce = 16
/** One in so many has left before. */
const leftEvery = 100

export async function bulkCancel(site: Site, quick: boolean): Promise<Figure[]> {
  const total = quick ? 60 : 5_000
  const call = createCaller(site.api)
  await stockUp(call, ['SOCKS-3P'], ['store-mitte'], 1_000_000)
  const orderIds = await placed(call, total)
  await until(site, `SELECT count(*)::int AS n FROM orders WHERE status = 'in_fulfillment'`, total)
  const left = await handOver(site, call, Math.max(1, Math.floor(total / leftEvery)))
  const startedAt = Date.now()
  const asked = await must(call, 'POST', '/v1/bulk-actions', 'demo-support', { action: 'cancel', orderIds, reason: 'bench', undoWithin: 'PT0.5S' })
  const probes = probe(call)
  await until(site, `SELECT count(*)::int AS n FROM bulk_actions WHERE status = 'done'`, 1)
  await until(site, `SELECT count(*)::int AS n FROM orders WHERE stage = 'cancelled' AND NOT workflow_open AND payment_status = 'voided'`, total - left)
  const minutes = (Date.now() - startedAt) / 60_000
  const took = await probes.stop()
  const halfDone = await countHalfDone(site, String(asked.bulkActionId))
  const held = await heldAtTheBank(site, orderIds)
  const p95 = percentile(took, 0.95)
  return [
    { section: 'bulk-cancel', what: `${total.toLocaleString('en')} open orders cancelled, workflows closed and money let go`, reach: `≤ ${withinMinutes} min`, measured: `${minutes.toFixed(1)} min, ${(total / (minutes * 60)).toFixed(1)}/s`, ok: minutes <= withinMinutes },
    { section: 'bulk-cancel', what: 'of them neither cancelled with stock free and money let go, nor untouched with a code', reach: '0', measured: `${halfDone} in our rows, ${held - left} at the bank`, ok: halfDone === 0 && held === left },
    { section: 'bulk-cancel', what: 'submits meanwhile, one at a time', reach: 'p95 ≤ 250 ms', measured: `p50 ${percentile(took, 0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`, ok: p95 <= 250 },
  ]
}

async function must(call: Call, method: string, path: string, key: string, body: object): Promise<Record<string, unknown>> {
  const answer = await call(method, path, key, body)
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

async function placed(call: Call, total: number): Promise<string[]> {
  const orderIds: string[] = []
  let begun = 0
  const submitter = async (): Promise<void> => {
    while ((begun += 1) <= total) orderIds.push(String((await must(call, 'POST', '/v1/orders', 'demo-channel-web', anOrder('SOCKS-3P'))).orderId))
  }
  await Promise.all(Array.from({ length: submittedAtOnce }, submitter))
  return orderIds
}

/** @returns how many have left. */
async function handOver(site: Site, call: Call, count: number): Promise<number> {
  const works = await site.db('fulfillments').where({ status: 'released' }).limit(count).select<{ fulfillment_id: string; node_id: string }[]>('fulfillment_id', 'node_id')
  for (const { fulfillment_id: id, node_id: nodeId } of works) {
    const [path, key] = [`/v1/fulfillments/${id}`, `demo-store-${nodeId}`]
    await must(call, 'POST', `${path}/pick`, key, { lines: [{ lineId: '1', picked: 1 }] })
    await must(call, 'POST', `${path}/pack`, key, { packages: [{ weightGrams: 1_500, lines: [{ lineId: '1', quantity: 1 }] }] })
    await must(call, 'POST', `${path}/hand-over`, key, {})
  }
  return works.length
}

/** A channel that submits one order after the other, and counts how long each takes. */
function probe(call: Call): { stop(): Promise<number[]> } {
  const took: number[] = []
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      const startedAt = performance.now()
      await must(call, 'POST', '/v1/orders', 'demo-channel-web', anOrder('SOCKS-3P'))
      took.push(performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await running
      return took
    },
  }
}

/** What a cancelled order must be, and what one that was refused must still be. */
async function countHalfDone(site: Site, bulkActionId: string): Promise<number> {
  const found = await site.db.raw<{ rows: { n: number }[] }>(
    `SELECT count(*)::int AS n FROM bulk_action_orders b JOIN orders o USING (order_id) WHERE b.bulk_action_id = ? AND NOT (
       (b.outcome = 'done' AND o.stage = 'cancelled' AND NOT o.workflow_open AND o.payment_status = 'voided'
        AND NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND (l.allocated <> 0 OR l.cancelled <> l.quantity))
        AND NOT EXISTS (SELECT 1 FROM allocations a WHERE a.order_id = o.order_id AND a.status = 'open')
        AND NOT EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = o.order_id AND f.status NOT IN ('cancelled', 'rejected')))
       OR (b.outcome = 'refused' AND b.code IS NOT NULL AND o.stage <> 'cancelled'))`,
    [bulkActionId],
  )
  return found.rows[0]!.n
}

/** How many of these the bank still holds or has taken money for, by its own books. */
async function heldAtTheBank(site: Site, orderIds: readonly string[]): Promise<number> {
  const { intents } = (await (await fetch(`${site.payments}/control/books`)).json()) as { intents: { orderRef: string; status: string }[] }
  const ours = new Set(orderIds)
  return intents.filter((intent) => ours.has(intent.orderRef) && intent.status !== 'canceled').length
}

async function until(site: Site, sql: string, wanted: number): Promise<void> {
  const giveUpAt = Date.now() + 40 * 60_000
  for (;;) {
    const found = await site.db.raw<{ rows: { n: number }[] }>(sql)
    if (found.rows[0]!.n >= wanted) return
    if (Date.now() > giveUpAt) throw new Error(`waited 40 min for ${wanted} of: ${sql}; there are ${found.rows[0]!.n}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
