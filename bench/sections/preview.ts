/** What a change of a large order, or sending some of it back, would move, asked over HTTP as support does while the customer is on the phone: fewer, more, another line, another place. */
import { createCaller, percentile } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

const lines = 50
const nodes = ['dc-01', 'store-mitte', 'store-kreuzberg', 'store-charlottenburg']

export async function preview(site: Site, quick: boolean): Promise<Figure[]> {
  return [...(await changes(site, quick)), ...(await returns(site, quick))]
}

/** What sending back some of a large order would move; units are made delivered in the rows, as nothing here is about how they got there. */
async function returns(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api)
  const [order] = (await site.db('orders').where({ channel_order_id: 'preview-1' }).select('order_id')) as [{ order_id: string }]
  await site.db.raw('UPDATE order_lines SET delivered = quantity, shipped = quantity, allocated = 0 WHERE order_id = ?', [order.order_id])
  const took: number[] = []
  for (let i = -20; i < (quick ? 40 : 400); i += 1) {
    const at = performance.now()
    const back = Array.from({ length: 1 + (Math.abs(i) % 10) }, (_, n) => ({ lineId: String(1 + ((Math.abs(i) + n) % lines)), quantity: 1, reason: 'too big' }))
    const answer = await call('POST', `/v1/orders/${order.order_id}/returns?preview=true`, 'demo-support', { lines: back, method: 'store' })
    if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`)
    if (i >= 0) took.push(performance.now() - at)
  }
  const p95 = percentile(took, 0.95)
  return [{ section: 'preview', what: `preview of a return, order of ${lines} lines`, reach: 'p95 ≤ 30 ms', measured: `p50 ${percentile(took, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${percentile(took, 0.99).toFixed(1)} ms`, ok: p95 <= 30 }]
}

async function changes(site: Site, quick: boolean): Promise<Figure[]> {
  await stock(site)
  const call = createCaller(site.api)
  const orderId = await placed(site)
  const took: number[] = []
  const rounds = quick ? 40 : 400
  for (let i = -20; i < rounds; i += 1) {
    const at = performance.now()
    const answer = await call('POST', `/v1/orders/${orderId}/changes`, 'demo-support', { operations: [changeNumber(Math.abs(i))] })
    if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`)
    if (i >= 0) took.push(performance.now() - at)
  }
  const p95 = percentile(took, 0.95)
  return [{ section: 'preview', what: `preview of a change, order of ${lines} lines, stock held with it`, reach: 'p95 ≤ 30 ms', measured: `p50 ${percentile(took, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${percentile(took, 0.99).toFixed(1)} ms`, ok: p95 <= 30 }]
}

function changeNumber(i: number): object {
  const lineId = String(1 + (i % lines))
  const kinds = [
    { op: 'setQuantity', lineId, quantity: 3 },
    { op: 'setQuantity', lineId, quantity: 1 },
    { op: 'addLine', lineId: 'more', sku: `CHANGE-${i % lines}`, quantity: 1, unitPriceMinor: 999, discountMinor: 100, taxMinor: 143 },
    { op: 'setShipTo', shipTo: { ...address, line1: `Street ${i}`, postalCode: '10999', latitude: 52.5015, longitude: 13.418 } },
  ]
  return kinds[i % kinds.length]!
}

const address = { name: 'Customer', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country: 'DE', latitude: 52.5285, longitude: 13.3975 }

async function stock({ db }: Site): Promise<void> {
  await db.raw(`INSERT INTO skus (sku, name, weight_grams) SELECT 'CHANGE-' || i, 'Change ' || i, 100 + i FROM generate_series(0, ?::int - 1) AS i ON CONFLICT DO NOTHING`, [lines])
  await db.raw(`INSERT INTO stock_levels (sku, node_id, on_hand) SELECT 'CHANGE-' || i, n, 100000 FROM generate_series(0, ?::int - 1) AS i, unnest(?::text[]) AS n ON CONFLICT DO NOTHING`, [lines, nodes])
}

/** Two units of every SKU, with a discount and a tax; paid, and with the store. */
async function placed(site: Site): Promise<string> {
  const call = createCaller(site.api)
  const goods = Array.from({ length: lines }, (_, i) => ({ lineId: String(i + 1), sku: `CHANGE-${i}`, quantity: 2, unitPriceMinor: 1_000 + i, discountMinor: i, taxMinor: 300 }))
  const totalMinor = goods.reduce((sum, l) => sum + l.unitPriceMinor * l.quantity - l.discountMinor, 490)
  const { status, body } = await call('POST', '/v1/orders', 'demo-channel-web', {
    channel: 'web', channelOrderId: 'preview-1', placedAt: new Date().toISOString(), currency: 'EUR', customer: { name: 'Customer', email: 'customer@example.com' }, shipTo: address, delivery: { method: 'delivery' },
    lines: goods, shipping: { priceMinor: 490, taxMinor: 78 }, totalMinor, taxIncluded: true, tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: totalMinor }],
  })
  if (status !== 201) throw new Error(`not accepted: ${status} ${JSON.stringify(body).slice(0, 300)}`)
  const orderId = body.orderId!
  const until = Date.now() + 60_000
  while ((await site.db('fulfillments').where({ order_id: orderId })).length === 0) {
    if (Date.now() > until) throw new Error('the order was not released in time')
    await new Promise((done) => setTimeout(done, 50))
  }
  return orderId
}
