/** A wave of deliveries for the drivers of one node, from the moment it waits until its runs are written; and what callers of the api feel of it. */
import { rows } from '../../db/connection'
import { createCaller, percentile, type Call } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

const nodeId = 'store-mitte'
const drivers = 8
/** Nothing written for so long: that was all. */
const quietSeconds = 0.5

/** Rows are written directly, as packing would have left them: orders, work and what waits, all within two hours. Several waves, one after another, or their p99 would be one page. */
export async function wave(site: Site, quick: boolean): Promise<Figure[]> {
  const [count, waves] = quick ? [60, 1] : [200, 6]
  const call = createCaller(site.api)
  for (let n = 1; n <= drivers; n += 1) await call('PUT', `/v1/drivers/bench-${n}`, 'demo-operations', { name: `Driver ${n}`, homeNodes: [nodeId], shift: {}, vehicle: { kind: 'van', maxParcels: 60 } })
  const rest = await paged(call, async () => new Promise((done) => setTimeout(done, quick ? 2_000 : 12_000)))
  const took: { first: number; all: number }[] = []
  const during: number[] = []
  for (let n = 0; n < waves; n += 1) {
    await site.db.raw(`UPDATE delivery_runs SET status = 'returned', returned_at = now() WHERE node_id = ?`, [nodeId])
    await site.db.raw(`UPDATE dispatch_queue SET status = 'done', run_id = NULL WHERE node_id = ?`, [nodeId])
    during.push(...(await paged(call, async () => void took.push(await oneWave(site, count, n)))))
  }
  const [found] = await rows<{ runs: number; stops: number; twice: number }>(
    site.db,
    `SELECT count(DISTINCT s.run_id)::int AS runs, count(*)::int AS stops, (count(*) - count(DISTINCT s.order_id))::int AS twice FROM stops s JOIN delivery_runs r USING (run_id) WHERE r.node_id = ?`,
    [nodeId],
  )
  const { runs, stops, twice } = found!
  const [first, all] = [percentile(took.map((t) => t.first), 0.5), percentile(took.map((t) => t.all), 0.5)]
  const [before, while_] = [percentile(rest, 0.99), percentile(during, 0.99)]
  return [
    { section: 'wave', what: `${count} deliveries, ${drivers} drivers, two-hour windows, from waiting to the first run`, reach: '≤ 2 s, nothing twice', measured: `median of ${waves} waves ${first.toFixed(2)} s, to the last run ${all.toFixed(2)} s; ${stops} stops on ${runs} runs, ${twice} twice`, ok: first <= 2 && twice === 0 && stops > 0 },
    { section: 'wave', what: 'a page of orders at 50/s while it is planned', reach: 'p99 at most twice that at rest', measured: `p99 ${before.toFixed(1)} ms at rest, ${while_.toFixed(1)} ms meanwhile (${during.length} pages)`, ok: while_ <= 2 * before },
  ]
}

/** @returns the seconds to its first run, and to its last. */
async function oneWave(site: Site, count: number, number: number): Promise<{ first: number; all: number }> {
  await seed(site, count, number)
  const [{ at }] = (await rows<{ at: string }>(site.db, 'SELECT now()::text AS at', [])) as [{ at: string }]
  await written(site, performance.now() + 60_000, at)
  const [found] = await rows<{ first: number; all: number }>(
    site.db,
    `SELECT extract(epoch FROM min(planned_at) - ?::timestamptz)::float8 AS first, extract(epoch FROM max(planned_at) - ?::timestamptz)::float8 AS all FROM delivery_runs WHERE node_id = ? AND planned_at > ?::timestamptz`,
    [at, at, nodeId, at],
  )
  return found!
}

async function seed(site: Site, count: number, wave: number): Promise<void> {
  await site.db.raw(`INSERT INTO policy_snapshots (snapshot_id, document) VALUES ('bench', '{}') ON CONFLICT DO NOTHING`)
  await site.db.raw(
    `WITH n AS (SELECT n, gen_random_uuid() AS order_id, gen_random_uuid() AS fulfillment_id FROM generate_series(1, ?::int) AS n),
       o AS (INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, customer, delivery, search, policy_snapshot_id,
                                 status, payment_status, fulfillment_status, stage, waiting_on, workflow_open, placed_at)
             SELECT order_id, 'web', 'wave-' || ?::int || '-' || n, decode('00', 'hex'), 'EUR', 1000, true, '{"priceMinor":0,"taxMinor":0}', 5, 'later', '{}', '{"method":"delivery"}', 'wave-' || n, 'bench',
               'in_fulfillment', 'authorized', 'packed', 'open', NULL, false, now() FROM n RETURNING 1),
       f AS (INSERT INTO fulfillments (fulfillment_id, order_id, node_id, method, service, status) SELECT fulfillment_id, order_id, ?, 'delivery', 'own_driver', 'packed' FROM n RETURNING 1)
     INSERT INTO dispatch_queue (fulfillment_id, order_id, node_id, status, parcels, weight_grams, latitude, longitude, window_to)
     SELECT fulfillment_id, order_id, ?, 'waiting', 1, 800, 52.5251 + ((n * 7919) % 200 - 100) / 2500.0, 13.4023 + ((n * 104729) % 200 - 100) / 1700.0, now() + interval '2 hours' FROM n`,
    [count, wave, nodeId, nodeId],
  )
}

/** Until no run has been added for a while. */
async function written(site: Site, until: number, since: string): Promise<void> {
  while (performance.now() < until) {
    const [found] = await rows<{ done: boolean }>(site.db, `SELECT count(*) > 0 AND max(planned_at) < now() - ? * interval '1 second' AS done FROM delivery_runs WHERE node_id = ? AND planned_at > ?::timestamptz`, [quietSeconds, nodeId, since])
    if (found?.done) return
    await new Promise((done) => setTimeout(done, 20))
  }
  throw new Error('the wave was not closed in time')
}

/** How long pages of orders took, asked for at an even pace while `doing` lasts. */
async function paged(call: Call, doing: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  const ask = async (): Promise<void> => {
    const at = performance.now()
    await call('GET', '/v1/orders?limit=50', 'demo-support')
    took.push(performance.now() - at)
  }
  const asked: Promise<void>[] = []
  const pace = setInterval(() => void asked.push(ask()), 20)
  try {
    await doing()
  } finally {
    clearInterval(pace)
  }
  await Promise.all(asked)
  return took
}
