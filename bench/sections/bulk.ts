/** A file of 10,000 orders in one call, as a marketplace hands over a night's sales: how fast, at what cost of memory, and the same again. */
import { createHash } from 'node:crypto'
import http from 'node:http'
import { anOrder, createCaller, stockUp } from '../client'
import { skus as assortment } from '../../dev/demo-assortment'
import { residentMegabytes, type Figure } from '../report'
import type { Site } from '../site'

const skus = assortment.map((item) => item.sku)
const tenders = [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1490 }]

export async function bulk(site: Site, quick: boolean): Promise<Figure[]> {
  await stockUp(createCaller(site.api), skus, ['dc-01', 'store-mitte'], 1_000_000)
  await send(site, fileOf(quick ? 30 : 1_000, 'later'), 'bench-warm')
  const figures: Figure[] = []
  for (const claim of ['later', 'required'] as const) figures.push(...(await twice(site, claim, quick ? 300 : 10_000)))
  return figures
}

async function twice(site: Site, claim: 'later' | 'required', count: number): Promise<Figure[]> {
  const file = fileOf(count, claim)
  const before = residentMegabytes(site.pidOf('api'))
  const first = await send(site, file, `bench-${claim}`)
  const again = await send(site, file, `bench-${claim}`)
  const [rate, same] = [count / first.seconds, first.created === count && again.hash === first.hash]
  const what = claim === 'later' ? 'sold already' : 'stock claimed for each'
  return [
    figure(`${count} orders in a file, ${what}`, '≥ 400/s, a result each', `${Math.round(rate)}/s, ${first.created} created`, rate >= 400 && first.created === count),
    figure(`the same file again, ${what}`, 'the same answer, nothing twice', `${same ? 'the same' : 'ANOTHER'}, ${again.seconds.toFixed(1)} s`, same),
    figure(`memory of the api meanwhile, ${what}`, '≤ 250 MB', `${before} MB before, at most ${first.mostMegabytes} MB`, first.mostMegabytes <= 250),
  ]
}

const figure = (what: string, reach: string, measured: string, ok: boolean): Figure => ({ section: 'bulk', what, reach, measured, ok })

const fileOf = (count: number, claim: string): string => Array.from({ length: count }, (_, i) => JSON.stringify(anOrder(skus[i % skus.length]!, 'web', { claim, tenders }))).join('\n')

interface Sent {
  seconds: number
  created: number
  hash: string
  mostMegabytes: number
}

function send(site: Site, file: string, key: string): Promise<Sent> {
  const startedAt = Date.now()
  let mostMegabytes = 0
  const look = setInterval(() => (mostMegabytes = Math.max(mostMegabytes, residentMegabytes(site.pidOf('api')))), 500)
  const headers = { authorization: 'Bearer demo-channel-web', 'content-type': 'application/x-ndjson', 'idempotency-key': key }
  return new Promise<Sent>((resolve, reject) => {
    const request = http.request(`${site.api}/v1/orders/bulk`, { method: 'POST', headers }, (response) => {
      const hash = createHash('sha256')
      let created = 0
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        created += chunk.toString('latin1').split('"created"').length - 1
      })
      response.on('end', () => resolve({ seconds: (Date.now() - startedAt) / 1000, created, hash: hash.digest('hex'), mostMegabytes }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(file)
  }).finally(() => clearInterval(look))
}
