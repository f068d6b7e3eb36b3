/** Webhooks out, as a worker sends them beside its other work: how fast one healthy endpoint is told, alone and next to one that takes calls and never answers. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCaller } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

interface Listener {
  url: string
  heard: number
  close(): Promise<void>
}

/** @param answers false: it takes every call and says nothing. */
async function listen(answers: boolean): Promise<Listener> {
  const server: Server = createServer((request, response) => {
    request.resume()
    listener.heard += 1
    if (answers) request.once('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listener: Listener = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heard: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return listener
}

const perOrder = 5

export async function webhooks(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api)
  const events = quick ? 500 : 10_000
  const [healthy, dead] = [await listen(true), await listen(false)]
  const add = async ({ url }: Listener): Promise<string> => {
    const { status, body } = await call('POST', '/v1/webhook-endpoints', 'demo-operations', { url })
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body).slice(0, 300)}`)
    return body.endpointId!
  }
  await add(healthy)
  await tell(site, healthy, quick ? 100 : 1_000) // warm
  const alone = await tell(site, healthy, events)
  const deadId = await add(dead)
  const beside = await tell(site, healthy, events)
  // And alone once more, as tables grow and the machine has other things to do.
  await call('POST', `/v1/webhook-endpoints/${deadId}/disable`, 'demo-operations', { reason: 'measured' })
  const after = await tell(site, healthy, events)
  const without = (alone + after) / 2
  await Promise.all([healthy.close(), dead.close()])
  const measured = `${Math.round(beside)}/s; without the dead one ${Math.round(alone)}/s before and ${Math.round(after)}/s after; it was called ${dead.heard} times`
  return [{ section: 'webhooks', what: `webhooks out: ${events} events, 1 healthy + 1 dead endpoint`, reach: '≥ 300/s to the healthy one', measured, ok: beside >= 300 && beside >= without * 0.8 }]
}

/** Writes `count` events of many orders at once and waits until all were heard. @returns how many a second. */
async function tell({ db }: Site, listener: Listener, count: number): Promise<number> {
  const wanted = listener.heard + count
  const startedAt = performance.now()
  await db.raw(
    `INSERT INTO order_events (order_id, channel, type, actor, data)
     SELECT o.id, 'web', 'fulfillment.picked', 'bench', '{"fulfillmentId":"f","lines":[{"lineId":"1","quantity":1}],"complete":true}'
     FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?::int / ${perOrder})) o, generate_series(1, ${perOrder})`,
    [count],
  )
  const until = Date.now() + 120_000
  while (listener.heard < wanted) {
    if (Date.now() > until) throw new Error(`${listener.heard} of ${wanted} webhooks in two minutes`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return count / ((performance.now() - startedAt) / 1000)
}
