/** A shop on Shopify on its best day: signed webhooks, each with another order, as fast as they come and at a steady rate. */
import { createHmac } from 'node:crypto'
import http from 'node:http'
import { createCaller, percentile, stockUp } from '../client'
import { skus as assortment } from '../../dev/demo-assortment'
import type { Figure } from '../report'
import type { Site } from '../site'

const skus = assortment.map((item) => item.sku)
const callers = 12

export async function shopifyWebhooks(site: Site, quick: boolean): Promise<Figure[]> {
  await stockUp(createCaller(site.api), skus, ['dc-01', 'store-mitte'], 1_000_000)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  const taken: string[] = []
  const send = async (): Promise<number> => {
    const startedAt = performance.now()
    const { status, orderId } = await deliver(site.api, agent)
    if (status === 200 && orderId !== undefined) taken.push(orderId)
    return performance.now() - startedAt
  }
  const seconds = quick ? 3 : 20
  await closedLoop(send, quick ? 1 : 5) // warm
  const closed = await closedLoop(send, seconds)
  const open = await openLoop(send, 300, seconds)
  agent.destroy()
  const ms = (took: readonly number[], p: number): string => `${percentile(took, p).toFixed(0)} ms`
  const rate = closed.length / seconds
  const lost = await missing(site, taken)
  return [
    figure(`orders taken, ${callers} senders`, '≥ 300/s, p99 ≤ 100 ms', `${rate.toFixed(0)}/s, p50 ${ms(closed, 0.5)}, p99 ${ms(closed, 0.99)}`, rate >= 300 && percentile(closed, 0.99) <= 100),
    figure('300/s sent', 'p99 ≤ 100 ms', `p50 ${ms(open, 0.5)}, p99 ${ms(open, 0.99)}`, percentile(open, 0.99) <= 100),
    figure('acknowledged orders without row or start', '0', `${lost} of ${taken.length}`, lost === 0),
  ]
}

const figure = (what: string, reach: string, measured: string, ok: boolean): Figure => ({ section: 'shopify', what, reach, measured, ok })

let numbers = Date.now() * 1_000

function deliver(api: string, agent: http.Agent): Promise<{ status: number; orderId?: string }> {
  const number = (numbers += 1)
  const body = JSON.stringify({
    admin_graphql_api_id: `gid://shopify/Order/${number}`, created_at: '2026-11-20T10:00:00+01:00', cancelled_at: null, currency: 'EUR', email: `c${number}@example.com`, financial_status: 'paid', taxes_included: true,
    total_discounts: '0.00', total_price: '14.90', customer: { admin_graphql_api_id: `gid://shopify/Customer/${number}`, first_name: 'Test', last_name: 'Customer' },
    line_items: [{ admin_graphql_api_id: `gid://shopify/LineItem/${number}`, sku: skus[number % skus.length], quantity: 1, price: '10.00', tax_lines: [], discount_allocations: [] }],
    shipping_lines: [{ price: '4.90' }],
    shipping_address: { name: 'Test Customer', address1: 'Street 1', city: 'Berlin', zip: '10115', country_code: 'DE', latitude: 52.5285, longitude: 13.3975 },
  })
  const headers = {
    'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': `bench-${number}`,
    'x-shopify-hmac-sha256': createHmac('sha256', 'demo-shopify-secret').update(body).digest('base64'),
  }
  return new Promise((resolve, reject) => {
    const request = http.request(`${api}/v1/channels/web/shopify/webhooks`, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, ...(JSON.parse(text) as { orderId?: string }) }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function closedLoop(send: () => Promise<number>, seconds: number): Promise<number[]> {
  const took: number[] = []
  const end = Date.now() + seconds * 1000
  const sender = async (): Promise<void> => {
    while (Date.now() < end) took.push(await send())
  }
  await Promise.all(Array.from({ length: callers }, sender))
  return took
}

async function openLoop(send: () => Promise<number>, perSecond: number, seconds: number): Promise<number[]> {
  const under: Promise<number>[] = []
  const startedAt = Date.now()
  while (Date.now() - startedAt < seconds * 1000) {
    const due = Math.floor(((Date.now() - startedAt) / 1000) * perSecond)
    while (under.length < due) under.push(send())
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  return Promise.all(under)
}

async function missing({ db }: Site, taken: readonly string[]): Promise<number> {
  const { rows } = await db.raw<{ rows: { n: number }[] }>(
    'SELECT count(*)::int AS n FROM unnest(?::uuid[]) AS a(order_id) WHERE NOT EXISTS (SELECT 1 FROM orders o JOIN workflow_starts s USING (order_id) WHERE o.order_id = a.order_id)',
    [[...taken]],
  )
  return rows[0]!.n
}
