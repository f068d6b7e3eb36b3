/** Lists and search on two hundred thousand orders. */
import { createCaller, percentile } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

export async function list(site: Site, quick: boolean): Promise<Figure[]> {
  const total = quick ? 20_000 : 200_000
  await site.db.raw(`INSERT INTO policy_snapshots (snapshot_id, document) VALUES ('bench', '{}') ON CONFLICT DO NOTHING`)
  await site.db.raw(
    `INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, customer, delivery, search, policy_snapshot_id,
                         status, payment_status, fulfillment_status, stage, waiting_on, workflow_open, placed_at)
     SELECT gen_random_uuid(), (ARRAY['web', 'marketplace', 'pos'])[1 + n % 3], 'list-' || n, decode('00', 'hex'), 'EUR', 1000 + n % 9000, true, '{"priceMinor":0,"taxMinor":0}', 5, 'later',
            jsonb_build_object('name', 'Customer ' || n, 'email', 'customer' || n || '@example.com'), '{"method":"delivery"}',
            'list-' || n || ' customer ' || n || ' customer' || n || '@example.com', 'bench', (ARRAY['delivered', 'completed', 'shipped', 'in_fulfillment'])[1 + n % 4], 'captured', 'fulfilled', 'completed', NULL, false,
            now() - n * interval '1 minute' FROM generate_series(1, ?::int) AS n`,
    [total],
  )
  await site.db.raw('VACUUM ANALYZE orders')
  const call = createCaller(site.api)
  const times = async (path: (i: number) => string): Promise<number[]> => {
    const took: number[] = []
    for (let i = 0; i < 210; i += 1) {
      const at = performance.now()
      const answer = await call('GET', path(i), 'demo-support')
      if (answer.status !== 200) throw new Error(`${path(i)}: ${answer.status}`)
      if (i >= 10) took.push(performance.now() - at)
    }
    return took
  }
  const some = (i: number): number => 1 + ((i * 7919) % total)
  const cases: [string, (i: number) => string][] = [
    ['first page', () => '/v1/orders?limit=50'],
    ['first page of a status and channel', () => '/v1/orders?status=shipped&channel=web&limit=50'],
    ['search by e-mail', (i) => `/v1/orders?q=customer${some(i)}@example.com`],
    ['search by order number', (i) => `/v1/orders?q=list-${some(i)}`],
  ]
  const figures: Figure[] = []
  for (const [what, path] of cases) {
    const took = await times(path)
    const p95 = percentile(took, 0.95)
    figures.push({ section: 'list', what: `${what}, ${total.toLocaleString('en')} orders`, reach: 'p95 ≤ 50 ms', measured: `p50 ${percentile(took, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`, ok: p95 <= 50 })
  }
  return figures
}
