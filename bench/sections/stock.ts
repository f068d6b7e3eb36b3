/** Stock from outside in bulk: a file of counts as a retailer's warehouse system sends it overnight. */
import http from 'node:http'
import { Readable } from 'node:stream'
import type { Figure } from '../report'
import type { Site } from '../site'

const nodes = 20

export async function counts(site: Site, quick: boolean): Promise<Figure[]> {
  const skus = quick ? 1_000 : 25_000
  await site.db.raw(`INSERT INTO skus (sku, name, weight_grams) SELECT 'BULK-' || i, 'Bulk ' || i, 100 FROM generate_series(1, ?) AS i ON CONFLICT DO NOTHING`, [skus])
  await site.db.raw(
    `INSERT INTO nodes SELECT (jsonb_populate_record(n, jsonb_build_object('node_id', 'bulk-' || i))).* FROM nodes n, generate_series(1, ?) AS i WHERE n.node_id = 'dc-01' ON CONFLICT DO NOTHING`,
    [nodes],
  )
  const figures: Figure[] = []
  for (const [what, units, agoMs] of [['the first count of every shelf', 5, 120_000], ['a second one that changes every shelf', 7, 60_000]] as const) {
    const startedAt = Date.now()
    const last = await sendFile(site.api, rowsOf(skus, units, new Date(startedAt - agoMs).toISOString()))
    const perSecond = (skus * nodes) / ((Date.now() - startedAt) / 1000)
    const whole = last.done && last.accepted === skus * nodes
    figures.push({ section: 'counts', what: `a file of ${skus * nodes} counts, ${what}`, reach: '≥ 20,000 rows/s', measured: `${Math.round(perSecond)} rows/s${whole ? '' : ', NOT WHOLE'}`, ok: whole && perSecond >= 20_000 })
  }
  return figures
}

function* rowsOf(skus: number, onHand: number, asOf: string): Generator<string> {
  for (let sku = 1; sku <= skus; sku += 1) {
    let lines = ''
    for (let node = 1; node <= nodes; node += 1) lines += `{"sku":"BULK-${sku}","nodeId":"bulk-${node}","onHand":${onHand},"asOf":"${asOf}"}\n`
    yield lines
  }
}

/** @returns the last line of the answer. */
const sendFile = (api: string, lines: Generator<string>): Promise<{ done: boolean; accepted: number }> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer demo-operations', 'content-type': 'application/x-ndjson', 'idempotency-key': 'bench-file' }
    const request = http.request(`${api}/v1/inventory/count-files`, { method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-2_000)))
      response.on('end', () => resolve(JSON.parse(text.trim().split('\n').pop()!) as { done: boolean; accepted: number }))
      response.on('error', reject)
    })
    request.on('error', reject)
    Readable.from(lines).pipe(request)
  })
