/** Many at once for the same thing: one submit repeated, and a crowd for the last units. */
import { anOrder, createCaller, percentile, stockUp, type Answer } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

export async function repeat(site: Site): Promise<Figure[]> {
  const call = createCaller(site.api)
  await stockUp(call, ['SOCKS-3P'], ['store-mitte'], 1_000_000)
  const body = anOrder('SOCKS-3P')
  const answers = await Promise.all(Array.from({ length: 64 }, () => call('POST', '/v1/orders', 'demo-channel-web', body, { 'idempotency-key': 'the-same' })))
  const ids = new Set(answers.map((a) => a.body.orderId))
  const [orderId] = ids
  const charges = await chargesOf(site, orderId!)
  const replays = answers.filter((a) => a.replayed).length
  const ok = ids.size === 1 && replays === 63 && charges === 1
  return [{ section: 'repeat', what: 'the same submit 64 times in parallel', reach: '1 order, 1 charge, 63 replays', measured: `${ids.size} order, ${charges} charge, ${replays} replays`, ok }]
}

/** What the provider holds for the order, once it holds anything. */
async function chargesOf({ payments }: Site, orderId: string): Promise<number> {
  for (let look = 0; look < 100; look += 1) {
    const { intents } = (await (await fetch(`${payments}/control/books`)).json()) as { intents: { orderRef: string; authorizedMinor: number }[] }
    const held = intents.filter((i) => i.orderRef === orderId && i.authorizedMinor > 0).length
    if (held > 0) return held
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return 0
}

export async function hotSku(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api, 64)
  await stockUp(call, ['SHOE-LB-41'], ['store-mitte', 'store-kreuzberg', 'store-charlottenburg'], 0)
  await stockUp(call, ['SHOE-LB-41'], ['dc-01'], 100)
  const total = quick ? 500 : 10_000
  const channels = ['web', 'marketplace', 'pos']
  const answers: Answer[] = []
  const took: number[] = []
  let left = total
  const startedAt = Date.now()
  const buyer = async (): Promise<void> => {
    while (left > 0) {
      const channel = channels[left % 3]!
      left -= 1
      const at = performance.now()
      answers.push(await call('POST', '/v1/orders', `demo-channel-${channel}`, anOrder('SHOE-LB-41', channel, { claim: 'required' })))
      took.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: 64 }, buyer))
  const seconds = (Date.now() - startedAt) / 1000
  const confirmed = answers.filter((a) => a.status === 201).length
  const short = answers.filter((a) => a.status === 409 && a.body.code === 'stock.short' && a.body.short?.[0]?.sku === 'SHOE-LB-41').length
  const ok = confirmed === 100 && short === total - 100 && seconds <= 60
  const measured = `${confirmed} confirmed, ${short} × 409 naming what is short, ${total - confirmed - short} others, ${seconds.toFixed(1)} s, p99 ${percentile(took, 0.99).toFixed(0)} ms`
  return [{ section: 'hot-sku', what: `${total} submits for 100 units, 64 clients, 3 channels`, reach: '100 confirmed, the rest 409, no 5xx, ≤ 60 s', measured, ok }]
}
