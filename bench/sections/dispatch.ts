/** A day of one node's own drivers, in minutes: parcels come one after another, the dispatcher sends wave after wave, drivers ring at every door. Nothing is lost, nothing delivered twice. */
import { Client, Connection } from '@temporalio/client'
import { rows } from '../../db/connection'
import { dispatchWorkflowId } from '../../domain/ids'
import { defaultPolicies } from '../../domain/policy/kinds'
import { createCaller, type Call } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

const nodeId = 'store-mitte'
const drivers = 10
const perSecond = 18

export async function dispatch(site: Site, quick: boolean): Promise<Figure[]> {
  const count = quick ? 150 : 2_000
  const call = createCaller(site.api)
  for (let n = 1; n <= drivers; n += 1) await call('PUT', `/v1/drivers/bench-${n}`, 'demo-operations', { name: `Driver ${n}`, homeNodes: [nodeId], shift: {}, vehicle: { kind: 'van', maxParcels: 40 } })
  await site.db.raw(`INSERT INTO policy_snapshots (snapshot_id, document) VALUES ('bench-day', ?::jsonb) ON CONFLICT DO NOTHING`, [JSON.stringify(defaultPolicies)])
  const startedAt = performance.now()
  const day = { over: false }
  const driving = Array.from({ length: drivers }, (_, n) => drive(site, call, `bench-${n + 1}`, day))
  for (let seeded = 0; seeded < count; seeded += 1) {
    await parcel(site, seeded)
    await pause(Math.max(0, startedAt + ((seeded + 1) * 1_000) / perSecond - performance.now()))
  }
  await allDone(site, count, performance.now() + 180_000)
  day.over = true
  await Promise.all(driving)
  const seconds = (performance.now() - startedAt) / 1_000
  const [found] = await rows<{ delivered: number; twice: number; lost: number; runs: number }>(
    site.db,
    `SELECT (SELECT count(*)::int FROM fulfillments f JOIN orders o USING (order_id) WHERE o.channel_order_id LIKE 'day-%' AND f.status = 'delivered') AS delivered,
       (SELECT count(*)::int FROM (SELECT fulfillment_id FROM stop_tasks WHERE outcome = 'done' GROUP BY 1 HAVING count(*) > 1) t) AS twice,
       (SELECT count(*)::int FROM dispatch_queue WHERE status <> 'done') AS lost, (SELECT count(*)::int FROM delivery_runs WHERE status = 'returned') AS runs`,
    [],
  )
  const { delivered, twice, lost, runs } = found!
  const chain = await chainOf(site)
  const ok = delivered === count && twice === 0 && lost === 0 && (quick || chain > 1)
  return [{ section: 'dispatch', what: `${count} deliveries of one node, ${drivers} drivers`, reach: 'continues as new cleanly, nothing lost or delivered twice', measured: `${delivered} delivered by ${runs} runs in ${seconds.toFixed(0)} s, ${lost} lost, ${twice} twice; the dispatcher in ${chain} workflow runs`, ok }]
}

/** As packing and an earlier attempt would have left it: it has left us before, and nobody was in. */
async function parcel({ db }: Site, n: number): Promise<void> {
  await db.raw(
    `WITH n AS (SELECT ?::int AS n, gen_random_uuid() AS order_id, gen_random_uuid() AS fulfillment_id, gen_random_uuid() AS shipment_id),
       o AS (INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, customer, delivery, search, policy_snapshot_id,
                                 status, payment_status, fulfillment_status, stage, waiting_on, workflow_open, placed_at)
             SELECT order_id, 'web', 'day-' || n, decode('00', 'hex'), 'EUR', 1000, true, '{"priceMinor":0,"taxMinor":0}', 5, 'later', '{}', '{"method":"delivery"}', 'day-' || n, 'bench-day',
               'shipped', 'captured', 'fulfilled', 'open', NULL, false, now() FROM n RETURNING 1),
       l AS (INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price_minor, discount_minor, tax_minor, picked, shipped) SELECT order_id, '1', 1, 'SOCKS-3P', 1, 1000, 0, 0, 1, 1 FROM n RETURNING 1),
       f AS (INSERT INTO fulfillments (fulfillment_id, order_id, node_id, method, service, status) SELECT fulfillment_id, order_id, ?, 'delivery', 'own_driver', 'in_transit' FROM n RETURNING 1),
       s AS (INSERT INTO shipments (shipment_id, fulfillment_id, order_id, carrier, service) SELECT shipment_id, fulfillment_id, order_id, 'own-fleet', 'own_driver' FROM n RETURNING 1),
       p AS (INSERT INTO packages (package_id, fulfillment_id, shipment_id, number, weight_grams, lines, carrier, tracking_number) SELECT gen_random_uuid(), fulfillment_id, shipment_id, 1, 800, '[{"lineId":"1","quantity":1}]', 'own-fleet', 'DAY' || n FROM n RETURNING 1)
     INSERT INTO dispatch_queue (fulfillment_id, order_id, node_id, status, parcels, weight_grams, latitude, longitude)
     SELECT fulfillment_id, order_id, ?, 'waiting', 1, 800, 52.5251 + ((n * 7919) % 200 - 100) / 2500.0, 13.4023 + ((n * 104729) % 200 - 100) / 1700.0 FROM n`,
    [n, nodeId, nodeId],
  )
}

interface Run {
  runId: string
  stops: { stopId: string; status: string; tasks: { taskId: string }[] }[]
}

/** Takes every run that is planned for him, to its end. */
async function drive(site: Site, call: Call, driverId: string, day: { over: boolean }): Promise<void> {
  const must = async (path: string, body: object = {}): Promise<Run> => {
    const answer = await call('POST', path, 'demo-operations', body)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as unknown as Run
  }
  while (!day.over) {
    const [planned] = await rows<{ runId: string }>(site.db, `SELECT run_id AS "runId" FROM delivery_runs WHERE driver_id = ? AND status = 'planned'`, [driverId])
    if (!planned) {
      await pause(100)
      continue
    }
    await must(`/v1/runs/${planned.runId}/accept`)
    const run = await must(`/v1/runs/${planned.runId}/depart`)
    for (const stop of run.stops.filter((s) => s.status === 'pending')) await must(`/v1/runs/${run.runId}/stops/${stop.stopId}/complete`, { tasks: stop.tasks.map(({ taskId }) => ({ taskId, outcome: 'done' })) })
    await must(`/v1/runs/${run.runId}/return`)
  }
}

/** What is left at the end of the day is less than a wave: sent by hand, as a person would. */
async function allDone(site: Site, count: number, until: number): Promise<void> {
  const call = createCaller(site.api)
  for (;;) {
    const [found] = await rows<{ done: number; waiting: number }>(site.db, `SELECT count(*) FILTER (WHERE status = 'done')::int AS done, count(*) FILTER (WHERE status = 'waiting')::int AS waiting FROM dispatch_queue`, [])
    if (found!.done === count) return
    if (performance.now() > until) throw new Error(`only ${found!.done} of ${count} were delivered in time`)
    if (found!.waiting > 0 && found!.waiting < defaultPolicies.last_mile.waveSize) await call('POST', `/v1/nodes/${nodeId}/runs`, 'demo-operations', { driverId: `bench-${1 + Math.floor(performance.now() / 1_000) % drivers}` })
    await pause(500)
  }
}

/** How many workflow runs the dispatcher has had. */
async function chainOf(site: Site): Promise<number> {
  const connection = await Connection.connect({ address: site.temporal })
  let runs = 0
  for await (const found of new Client({ connection }).workflow.list({ query: `WorkflowId = '${dispatchWorkflowId(nodeId)}'` })) runs += found.runId ? 1 : 0
  await connection.close()
  return runs
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
