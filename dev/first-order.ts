/**
 * The first order of a fresh start: placed, picked, packed and handed over through the same HTTP API everybody else uses, and told line by
 * line from its timeline as things happen. If anything goes wrong it says what, and the service stays up.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { orderWorkflowId } from '../domain/ids'
import { createApi, type Api } from './api'
import { oneLine } from './complaint'
import { firstOrder, packageWeightGrams } from './first-order-body'
import { inWords, type OrderView, type SourcingView, type TimelineEvent } from './first-order-words'
import type { Screen } from './screen'

export interface FirstOrderPlace {
  api: string
  temporalUi?: string
}

/** How long nothing may happen before we say what is being waited for. The carrier simulator takes 20 s to deliver. */
const patienceMs = 60_000
const askEveryMs = 150

/** Plays it unless there is an order already. Never throws. */
export async function playFirstOrder(place: FirstOrderPlace, screen: Screen, leaving: AbortSignal): Promise<void> {
  try {
    const support = createApi(place.api, 'demo-support', leaving)
    const { items } = await support.get<{ items: unknown[] }>('/v1/orders?limit=1')
    if (items.length > 0) return
    screen.line('The first order')
    const { orderId } = await createApi(place.api, 'demo-channel-web', leaving).post<{ orderId: string }>('/v1/orders', firstOrder(), 'first-order')
    await follow({ orderId, support, place, screen, leaving })
    screen.line(`\n  its history    ${historyLink(place)}`)
    screen.line(`  its timeline   curl -H 'Authorization: Bearer demo-support' ${place.api}/v1/orders/${orderId}/timeline\n`)
  } catch (error) {
    if (!leaving.aborted) screen.line(`  The first order did not come to its end: ${oneLine(error instanceof Error ? error.message : String(error))} (everything else is up)\n`)
  }
}

/** `…/workflows/order%3Aweb%3A1001` in the Temporal UI, or the workflow's id where we do not know the UI. */
export function historyLink({ temporalUi }: FirstOrderPlace, namespace = 'default'): string {
  const { channel, channelOrderId } = firstOrder()
  const workflowId = orderWorkflowId(channel, channelOrderId)
  return temporalUi ? `${temporalUi}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}` : `workflow ${workflowId}`
}

interface Thread {
  orderId: string
  support: Api
  place: FirstOrderPlace
  screen: Screen
  leaving: AbortSignal
}

/** Tells every event once, in order, and does the store's part when it is the store's turn. */
async function follow(thread: Thread): Promise<void> {
  const { orderId, support, screen, leaving } = thread
  let [seen, newsAt] = [0, Date.now()]
  let startedAt: number | undefined
  for (;;) {
    const { items } = await support.get<{ items: TimelineEvent[] }>(`/v1/orders/${orderId}/timeline`)
    for (const event of items.slice(seen)) {
      startedAt ??= Date.parse(event.at)
      const line = inWords(event, await surroundings(thread, event))
      if (line) screen.line(`  +${((Date.parse(event.at) - startedAt) / 1000).toFixed(1).padStart(5)} s  ${line}`)
      await storeWork(thread, event)
    }
    if (items.some((event) => endings.has(event.type))) return
    if (items.length > seen) newsAt = Date.now()
    seen = items.length
    if (Date.now() - newsAt > patienceMs) throw new Error(await whatItWaitsFor(thread))
    await pause(askEveryMs, undefined, { signal: leaving })
  }
}

const endings: ReadonlySet<string> = new Set(['shipment.delivered', 'order.cancelled', 'order.completed'])

const surroundings = async ({ orderId, support }: Thread, event: TimelineEvent): Promise<{ order: OrderView; sourcing?: SourcingView }> => ({
  order: await support.get<OrderView>(`/v1/orders/${orderId}`),
  ...(event.type === 'order.sourced' && { sourcing: await support.get<SourcingView>(`/v1/orders/${orderId}/sourcing`) }),
})

/** What the associate of the store does when the work order, the picked goods, the label are there. */
async function storeWork({ orderId, support, place, leaving }: Thread, event: TimelineEvent): Promise<void> {
  const fulfillmentId = String(event.data.fulfillmentId)
  const commands: Record<string, (work: OrderView['fulfillments'][number]) => [string, unknown]> = {
    'fulfillment.released': ({ lines }) => ['pick', { lines: lines.map(({ lineId, quantity }) => ({ lineId, picked: quantity })) }],
    'fulfillment.picked': ({ lines }) => [
      'pack',
      { packages: [{ weightGrams: packageWeightGrams, lengthMm: 340, widthMm: 220, heightMm: 140, lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })) }] },
    ],
    'shipment.labelled': () => ['hand-over', {}],
  }
  const command = commands[event.type]
  if (!command) return
  const { fulfillments } = await support.get<OrderView>(`/v1/orders/${orderId}`)
  const work = fulfillments.find((f) => f.fulfillmentId === fulfillmentId)
  if (!work) throw new Error(`the order does not show its fulfillment ${fulfillmentId}`)
  const [path, body] = command(work)
  await createApi(place.api, `demo-store-${work.nodeId}`, leaving).post(`/v1/fulfillments/${fulfillmentId}/${path}`, body, `first-order-${path}`)
}

async function whatItWaitsFor({ orderId, support }: Thread): Promise<string> {
  const order = await support.get<OrderView>(`/v1/orders/${orderId}`)
  return `nothing has happened for ${patienceMs / 1000} s; its status is ${order.status}${order.waitingOn ? `, it waits for ${order.waitingOn.what}` : ''}`
}
