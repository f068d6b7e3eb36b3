/** Whole lives over HTTP: place, pick, pack, hand over, captured, delivered. */
import { Client, Connection } from '@temporalio/client'
import { createApi } from '../../dev/api'
import { tellStory } from '../../dev/story'
import { orderWorkflowId } from '../../domain/ids'
import { anOrder, createCaller, follow, percentile, stockUp, type Call } from '../client'
import { residentMegabytes, type Figure } from '../report'
import type { Site } from '../site'

const atOnce = 24

/**
 * Until nothing is new to anybody: PostgreSQL plans a statement anew for its first five times on each of 32 connections, and V8 compiles what is hot after some
 * hundreds of calls, of which a life makes one or two.
 */
const warmSeconds = 40

export async function lives(site: Site, quick: boolean, server: 'dev server' | 'real server' = 'dev server'): Promise<Figure[]> {
  const call = createCaller(site.api)
  await prepare(site, call)
  const events = await follow(site.api)
  const live = oneLife(call, events)
  await many(live, atOnce, quick ? 2 : warmSeconds)
  const seconds = quick ? 5 : 30
  const startedAt = Date.now()
  const took = await many(live, atOnce, seconds)
  const perSecond = took.length / ((Date.now() - startedAt) / 1000)
  events.close()
  const least = server === 'dev server' ? 12 : 8
  const section = server === 'dev server' ? 'lives' : 'lives-real'
  return [{ section, what: `whole lives, ${server}, ${atOnce} at once`, reach: `≥ ${least}/s`, measured: `${perSecond.toFixed(1)}/s, p50 ${(percentile(took, 0.5) / 1000).toFixed(1)} s`, ok: perSecond >= least }]
}

/** The same, and then all of it comes back: asked for, counted at the store, paid back. */
export async function livesReturned(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api)
  await prepare(site, call, 'P30D')
  const events = await follow(site.api)
  const live = oneLife(call, events)
  const returned = async (): Promise<string> => {
    const orderId = await live()
    const asked = await call('POST', `/v1/orders/${orderId}/returns`, 'demo-support', { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })
    if (asked.status !== 201) throw new Error(`returns: ${asked.status} ${JSON.stringify(asked.body)}`)
    const { returnId } = asked.body as unknown as { returnId: string }
    const counted = await call('POST', `/v1/returns/${returnId}/receive`, 'demo-store-store-mitte', { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
    if (counted.status !== 200) throw new Error(`receive: ${counted.status} ${JSON.stringify(counted.body)}`)
    await Promise.all([events.told(orderId, 'payment.refunded'), events.told(orderId, 'return.closed')])
    return orderId
  }
  await many(returned, atOnce, quick ? 2 : warmSeconds)
  const startedAt = Date.now()
  const took = await many(returned, atOnce, quick ? 5 : 30)
  const perSecond = took.length / ((Date.now() - startedAt) / 1000)
  events.close()
  return [{ section: 'lives-returned', what: `whole lives with return and refund, dev server, ${atOnce} at once`, reach: '≥ 6/s', measured: `${perSecond.toFixed(1)}/s, p50 ${(percentile(took, 0.5) / 1000).toFixed(1)} s`, ok: perSecond >= 6 }]
}

/** The story of `npm start` too: the other size is brought, and the first pair taken along at the door. */
export async function history(site: Site): Promise<Figure[]> {
  const call = createCaller(site.api)
  await prepare(site, call, 'PT10S') // she asks for the other size before it is over
  const events = await follow(site.api)
  const leaving = new AbortController().signal
  const simple = await oneLife(call, events)('store-mitte')
  const swapped = await tellStory({ api: (key) => createApi(site.api, key, leaving), say: () => undefined, leaving })
  const recorded = []
  for (const orderId of [simple, swapped.orderId]) {
    await events.told(orderId, 'order.completed')
    recorded.push(await historyOf(site, orderId))
  }
  events.close()
  const figure = (what: string, most: number, length: number): Figure => ({ section: 'history', what: `history of ${what}, closed`, reach: `≤ ${most} events`, measured: `${length} events`, ok: length <= most })
  return [figure('the simple order', 60, recorded[0]!), figure('the order with the exchange at the door', 160, recorded[1]!)]
}

/** @returns how many events it has */
async function historyOf({ db, temporal }: Site, orderId: string): Promise<number> {
  const [{ channel_order_id: number }] = (await db('orders').where({ order_id: orderId }).select('channel_order_id')) as [{ channel_order_id: string }]
  const connection = await Connection.connect({ address: temporal })
  const { events } = await new Client({ connection }).workflow.getHandle(orderWorkflowId('web', number)).fetchHistory()
  await connection.close()
  return events!.length
}

export async function memory(site: Site, quick: boolean): Promise<Figure[]> {
  const call = createCaller(site.api)
  await prepare(site, call)
  const events = await follow(site.api)
  const live = oneLife(call, events)
  const total = quick ? 50 : 2_000
  let begun = 0
  const caller = async (): Promise<void> => {
    while ((begun += 1) <= total) await live()
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  events.close()
  const [api, worker] = [residentMegabytes(site.pidOf('api')), residentMegabytes(site.pidOf('worker'))]
  return [
    { section: 'memory', what: `api after ${total} whole lives`, reach: '≤ 250 MB', measured: `${api} MB`, ok: api <= 250 },
    { section: 'memory', what: `worker after ${total} whole lives`, reach: '≤ 700 MB', measured: `${worker} MB`, ok: worker <= 700 },
  ]
}

async function prepare({ carriers }: Site, call: Call, window = 'PT0.1S'): Promise<void> {
  await stockUp(call, ['SOCKS-3P'], ['store-mitte'], 1_000_000)
  await fetch(`${carriers}/control/pace`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ inTransitMs: 200, deliveredMs: 600 }) })
  const returns = await call('POST', '/v1/policies/returns', 'demo-operations', { window, restockBy: 'P45D' })
  await call('POST', `/v1/policies/returns/${String((returns.body as unknown as { version: number }).version)}/activate`, 'demo-operations', {})
  await new Promise((resolve) => setTimeout(resolve, 1_500)) // policies may be a second old
}

type Events = Awaited<ReturnType<typeof follow>>

/** @returns the order, once it is captured and delivered. */
const oneLife =
  (call: Call, events: Events) =>
  async (_node?: string): Promise<string> => {
    const must = async (path: string, key: string, body: object): Promise<Record<string, string>> => {
      const answer = await call('POST', path, key, body)
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const { orderId } = await must('/v1/orders', 'demo-channel-web', anOrder('SOCKS-3P'))
    const { fulfillmentId, nodeId } = await events.told(orderId!, 'fulfillment.released')
    const [work, key] = [`/v1/fulfillments/${fulfillmentId}`, `demo-store-${nodeId}`]
    await must(`${work}/pick`, key, { lines: [{ lineId: '1', picked: 1 }] })
    await must(`${work}/pack`, key, { packages: [{ weightGrams: 1_500, lines: [{ lineId: '1', quantity: 1 }] }] })
    await must(`${work}/hand-over`, key, {})
    await Promise.all([events.told(orderId!, 'payment.captured'), events.told(orderId!, 'shipment.delivered')])
    return orderId!
  }

async function many(live: () => Promise<string>, callers: number, seconds: number): Promise<number[]> {
  const took: number[] = []
  const end = Date.now() + seconds * 1000
  const caller = async (): Promise<void> => {
    while (Date.now() < end) {
      const startedAt = performance.now()
      await live()
      took.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return took
}
