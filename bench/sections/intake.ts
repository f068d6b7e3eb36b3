/** How fast orders are acknowledged in a burst, and how the start queue drains after it. */
import { anOrder, createCaller, percentile, stockUp } from '../client'
import type { Db } from '../../db/connection'
import { skus as assortment } from '../../dev/demo-assortment'
import { residentMegabytes, type Figure } from '../report'
import type { Site } from '../site'

const skus = assortment.map((item) => item.sku) // as a shop sells: one hot SKU has a section of its own
const callers = 12
const nodes = ['dc-01', 'store-mitte']

export async function intake(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api)
  await stockUp(call, skus, nodes, 1_000_000)
  const acknowledged: string[] = []
  const submit = async (): Promise<number> => {
    const startedAt = performance.now()
    const urgent = acknowledged.length % 50 === 0
    const answer = await call('POST', '/v1/orders', 'demo-channel-web', anOrder(skus[acknowledged.length % skus.length]!, 'web', urgent ? { priority: 9 } : {}))
    if (answer.status === 201) acknowledged.push(answer.body.orderId!)
    return performance.now() - startedAt
  }
  await closedLoop(submit, callers, quick ? 1 : 5) // warm
  const seconds = quick ? 3 : 20
  const closed = await closedLoop(submit, callers, seconds)
  const open = await openLoop(submit, 300, seconds)
  const complete = await missing(site, acknowledged)
  const drained = await drain(site, quick ? 20 : 600)
  return [
    figure(`acknowledged, ${callers} callers`, '≥ 300/s, p99 ≤ 100 ms', rate(closed, seconds), closed.length / seconds >= 300 && percentile(closed, 0.99) <= 100),
    figure('acknowledged, 300/s offered', 'p99 ≤ 100 ms', rate(open, seconds), percentile(open, 0.99) <= 100),
    figure('acknowledged orders without row or start', '0', `${complete} of ${acknowledged.length}`, complete === 0),
    figure('start queue drained to the last order', 'nothing lost', drained.says, drained.left === 0),
    figure('starts that passed over a more urgent or older one', '0', String(drained.passedOver), drained.passedOver === 0),
    ...(['api', 'worker'] as const).map((name) => size(site, name, acknowledged.length)),
  ]
}

const figure = (what: string, reach: string, measured: string, ok: boolean): Figure => ({ section: 'intake', what, reach, measured, ok })

function size({ pidOf }: Site, name: 'api' | 'worker', orders: number): Figure {
  const [megabytes, most] = [residentMegabytes(pidOf(name)), name === 'api' ? 250 : 700]
  return figure(`${name} after ${orders} orders taken and started`, `≤ ${most} MB`, `${megabytes} MB`, megabytes <= most)
}
const rate = (took: readonly number[], seconds: number): string =>
  `${(took.length / seconds).toFixed(0)}/s, p50 ${percentile(took, 0.5).toFixed(0)} ms, p95 ${percentile(took, 0.95).toFixed(0)} ms, p99 ${percentile(took, 0.99).toFixed(0)} ms`

async function closedLoop(submit: () => Promise<number>, callers: number, seconds: number): Promise<number[]> {
  const took: number[] = []
  const end = Date.now() + seconds * 1000
  const caller = async (): Promise<void> => {
    while (Date.now() < end) took.push(await submit())
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return took
}

/** Offered at a steady rate, whatever the answers take. */
async function openLoop(submit: () => Promise<number>, perSecond: number, seconds: number): Promise<number[]> {
  const under: Promise<number>[] = []
  const startedAt = Date.now()
  while (Date.now() - startedAt < seconds * 1000) {
    const due = Math.floor(((Date.now() - startedAt) / 1000) * perSecond)
    while (under.length < due) under.push(submit())
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  return Promise.all(under)
}

/** Acknowledged orders that lack their row, or their start, done or queued. */
async function missing({ db }: Site, acknowledged: readonly string[]): Promise<number> {
  const { rows } = await db.raw<{ rows: { n: number }[] }>(
    'SELECT count(*)::int AS n FROM unnest(?::uuid[]) AS a(order_id) WHERE NOT EXISTS (SELECT 1 FROM orders o JOIN workflow_starts s USING (order_id) WHERE o.order_id = a.order_id)',
    [[...acknowledged]],
  )
  return rows[0]!.n
}

async function drain({ db }: Site, limitSeconds: number): Promise<{ says: string; left: number; passedOver: number }> {
  const waiting = async (): Promise<number> => Number((await db('workflow_starts').whereNull('done_at').count({ n: '*' }))[0]!.n)
  const startedAt = Date.now()
  const atFirst = await waiting()
  let left = atFirst
  while (left > 0 && Date.now() - startedAt < limitSeconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    left = await waiting()
  }
  const seconds = (Date.now() - startedAt) / 1000
  const started = atFirst - left
  return { says: `${started} starts in ${seconds.toFixed(0)} s = ${(started / Math.max(seconds, 0.1)).toFixed(0)}/s, ${left} left`, left, passedOver: await passedOver(db) }
}

/**
 * Starts that were made although one before them in the queue (more urgent, or as urgent and older) had been waiting for more than five seconds and
 * had to wait another five: what several hands at once cannot explain.
 */
async function passedOver(db: Db): Promise<number> {
  const { rows } = await db.raw<{ rows: { n: number }[] }>(
    `WITH s AS (SELECT priority, queued_at, coalesce(done_at, 'infinity') AS done_at FROM workflow_starts),
          ahead AS (SELECT done_at, queued_at, max(done_at) OVER (ORDER BY priority DESC, queued_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_ahead FROM s WHERE priority = 9
                    UNION ALL
                    SELECT done_at, queued_at, max(done_at) OVER (ORDER BY queued_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM s WHERE priority = 5),
          late AS (SELECT 1 FROM ahead WHERE last_ahead > done_at + interval '5 seconds'
                   UNION ALL
                   SELECT 1 FROM s AS usual WHERE priority = 5 AND EXISTS (SELECT 1 FROM s AS urgent WHERE urgent.priority = 9
                     AND urgent.queued_at < usual.done_at - interval '5 seconds' AND urgent.done_at > usual.done_at + interval '5 seconds'))
     SELECT count(*)::int AS n FROM late`,
  )
  return rows[0]!.n
}
