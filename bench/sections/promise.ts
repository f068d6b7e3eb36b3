/** Delivery options as a shop's checkout asks for them: three lines, thirty nodes, over HTTP, while stock keeps moving. */
import autocannon from 'autocannon'
import type { Figure } from '../report'
import type { Site } from '../site'

const nodes = 30
const skus = 200
const atOnce = 32

export async function options(site: Site, quick: boolean): Promise<Figure[]> {
  await network(site)
  await load(site, 1_000) // the code is compiled after that
  const done = await load(site, quick ? 2_000 : 20_000)
  const per = done.requests.total / done.duration
  const well = done.non2xx === 0 && done.errors === 0
  const measured = `${Math.round(per)}/s, p50 ${done.latency.p50} ms, p99 ${done.latency.p99} ms${well ? '' : `, ${done.non2xx + done.errors} NOT ANSWERED`}`
  return [{ section: 'options', what: `delivery options of 3 lines from ${nodes} nodes, ${atOnce} callers`, reach: '≥ 800/s, p99 ≤ 250 ms', measured, ok: well && per >= 800 && done.latency.p99 <= 250 }]
}

/** Stores all over the country with different shelves. */
async function network({ db }: Site): Promise<void> {
  await db.raw(
    `INSERT INTO nodes SELECT (jsonb_populate_record(n, jsonb_build_object('node_id', 'far-' || i, 'latitude', 47.5 + (i * 37 % 70) / 10.0, 'longitude', 6.5 + (i * 53 % 80) / 10.0))).*
     FROM nodes n, generate_series(1, ?::int) AS i WHERE n.node_id = 'store-mitte' ON CONFLICT DO NOTHING`,
    [nodes - 4],
  )
  await db.raw(`INSERT INTO skus (sku, name, weight_grams) SELECT 'PROMISE-' || i, 'Promise ' || i, 100 + i FROM generate_series(0, ?::int - 1) AS i ON CONFLICT DO NOTHING`, [skus])
  await db.raw(
    `INSERT INTO stock_levels (sku, node_id, on_hand) SELECT s.sku, n.node_id, (hashtext(s.sku || n.node_id) & 7) FROM skus s CROSS JOIN nodes n WHERE s.sku LIKE 'PROMISE-%' ON CONFLICT DO NOTHING`,
  )
}

const load = ({ api }: Site, amount: number): Promise<autocannon.Result> =>
  autocannon({
    url: `${api}/v1/delivery-options`,
    connections: atOnce,
    amount,
    requests: Array.from({ length: 500 }, (_, i) => ({
      method: 'POST' as const,
      headers: { authorization: 'Bearer demo-channel-web', 'content-type': 'application/json' },
      body: JSON.stringify({
        channel: 'web',
        currency: 'EUR',
        destination: { country: 'DE', postalCode: String(10_115 + i), latitude: 48 + (i % 60) / 10, longitude: 7 + (i % 70) / 10 },
        lines: [1, 2, 3].map((n) => ({ sku: `PROMISE-${(i * n * 7 + n) % skus}`, quantity: 1 })),
      }),
    })),
  })
