/**
 * The story that a fresh start tells: one customer's shoes from the question when they could be there to the exchange at her door, through the same HTTP API
 * everybody else uses, each person with a key of their own. Her order's timeline is told line by line as things happen. If anything goes wrong the story
 * says what, and the service stays up.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { orderWorkflowId } from '../domain/ids'
import { createApi, type Api } from './api'
import { oneLine } from './complaint'
import type { Screen } from './screen'
import { channel, currency, destinationOf, orderOf, otherSize, wishes, type Option, type Wish } from './story-orders'
import { inWords, spoken, type OrderView, type SourcingView, type TimelineEvent } from './story-words'

export interface StoryPlace {
  api: string
  temporalUi?: string
}

/** How long nothing may happen before we say what is being waited for. */
const patienceMs = 60_000
const askEveryMs = 100

/** Plays it unless there is an order already. Never throws. */
export async function playStory(place: StoryPlace, screen: Screen, leaving: AbortSignal): Promise<void> {
  try {
    const support = createApi(place.api, 'demo-support', leaving)
    const { items } = await support.get<{ items: unknown[] }>('/v1/orders?limit=1')
    if (items.length > 0) return
    screen.line('The story of an order')
    const { orderId, trackingPath } = await tellStory({ api: (key) => createApi(place.api, key, leaving), say: (line) => screen.line(`  ${line}`), leaving })
    screen.line(`\n  its history    ${historyLink(place)}`)
    screen.line(`  its timeline   curl -H 'Authorization: Bearer demo-support' ${place.api}/v1/orders/${orderId}/timeline`)
    screen.line(`  her page       ${place.api}${trackingPath}\n`)
  } catch (error) {
    if (!leaving.aborted) screen.line(`  The story did not come to its end: ${oneLine(error instanceof Error ? error.message : String(error))} (everything else is up)\n`)
  }
}

/** `…/workflows/order%3Aweb%3A1001` in the Temporal UI, or the workflow's id where we do not know the UI. */
export function historyLink({ temporalUi }: StoryPlace, namespace = 'default'): string {
  const workflowId = orderWorkflowId(channel, wishes[0].channelOrderId)
  return temporalUi ? `${temporalUi}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}` : `workflow ${workflowId}`
}

export interface Stage {
  /** The API as somebody with this key sees it. */
  api(key: string): Api
  say(line: string): void
  leaving: AbortSignal
}
export interface Told {
  orderId: string
  others: string[]
  returnId: string
  quote: { options: Option[] }
  /** The runs that brought the first pair, and the second. */
  runs: RunView[]
  trackingPath: string
}
export interface RunView {
  runId: string
  status: string
  stops: { stopId: string; sequence: number; orderId: string; tasks: { taskId: string; type: string }[] }[]
}

/** Steps 1 to 8. @throws where the service refuses, or nothing happens any more */
export async function tellStory(stage: Stage): Promise<Told> {
  const { quote, orderId } = await herOrder(stage)
  const her: Thread = { ...stage, orderId, seen: 0 }
  const others: string[] = []
  for (const wish of wishes.slice(1)) others.push(await place(stage, wish))
  await storeWork(her)
  for (const other of others) await storeWork({ ...stage, say: () => undefined, orderId: other, seen: 0 })
  const first = await bring(her, 'store-mitte')
  const trackingPath = (await view(her)).shipments[0]!.run!.trackingPath
  const returnId = await askForOtherSize(her)
  await storeWork(her)
  const second = await bring(her, 'dc-01')
  await countIn(her, returnId)
  return { orderId, others, returnId, quote, runs: [first, second], trackingPath }
}

/** When could they be there, and for how much? She takes the shop's own driver. */
async function herOrder(stage: Stage): Promise<{ quote: { options: Option[] }; orderId: string }> {
  const [wish] = wishes
  const { sku, quantity } = wish
  const shop = stage.api('demo-channel-web')
  const quote = await shop.post<{ quoteId: string; options: Option[] }>('/v1/delivery-options', { channel, currency, lines: [{ sku, quantity }], destination: destinationOf(wish) }, 'story-options')
  for (const option of quote.options) stage.say(`          ${spoken('could come', optionInWords(option))}`)
  const option = quote.options.find((o) => o.service === 'own_driver')
  const order = orderOf(wish, option && { quoteId: quote.quoteId, option })
  const { orderId } = await shop.post<{ orderId: string }>('/v1/orders', order, `story-${wish.channelOrderId}`)
  return { quote, orderId }
}

const optionInWords = ({ method, service, nodeId, priceMinor, promisedBy, confidence }: Option): string =>
  `${method.replaceAll('_', ' ')}${method === 'delivery' || nodeId === undefined ? '' : ` at ${nodeId}`}${service && service !== method ? ` by ${service.replaceAll('_', ' ')}` : ''}, ${(priceMinor / 100).toFixed(2)} ${currency}, until ${promisedBy.slice(0, 16).replace('T', ' ')} UTC (${(confidence * 100).toFixed(1)} % sure)`

const place = async (stage: Stage, wish: Wish): Promise<string> =>
  (await stage.api('demo-channel-web').post<{ orderId: string }>('/v1/orders', orderOf(wish, undefined), `story-${wish.channelOrderId}`)).orderId

interface Thread extends Stage {
  orderId: string
  /** How many events of its timeline have been told. */
  seen: number
  startedAt?: number
}

const view = ({ api, orderId }: Thread): Promise<OrderView> => api('demo-support').get<OrderView>(`/v1/orders/${orderId}`)

/** Tells what is new, until the order is as wished. */
async function until(thread: Thread, enough: (order: OrderView) => boolean): Promise<OrderView> {
  for (let newsAt = Date.now(); ; ) {
    const order = await view(thread)
    if (await tellNews(thread, order)) newsAt = Date.now()
    if (enough(order)) return order
    if (order.status === 'cancelled') throw new Error('the order was cancelled')
    if (Date.now() - newsAt > patienceMs) throw new Error(`nothing has happened for ${patienceMs / 1000} s; its status is ${order.status}${order.waitingOn ? `, it waits for ${order.waitingOn.what}` : ''}`)
    await pause(askEveryMs, undefined, { signal: thread.leaving })
  }
}

/** @returns whether there was any. */
async function tellNews(thread: Thread, order: OrderView): Promise<boolean> {
  const support = thread.api('demo-support')
  const { items } = await support.get<{ items: TimelineEvent[] }>(`/v1/orders/${thread.orderId}/timeline?limit=200`)
  const news = items.slice(thread.seen)
  for (const event of news) {
    thread.startedAt ??= Date.parse(event.at)
    const sourcing = event.type === 'order.sourced' ? await support.get<SourcingView>(`/v1/orders/${thread.orderId}/sourcing`) : undefined
    const line = inWords(event, { order, sourcing })
    if (line) thread.say(`+${((Date.parse(event.at) - thread.startedAt) / 1000).toFixed(1).padStart(5)} s  ${line}`)
  }
  thread.seen = items.length
  return news.length > 0
}

/** The associate picks and packs what is released; from then on it waits for a driver. */
async function storeWork(thread: Thread): Promise<void> {
  const { fulfillments } = await until(thread, (o) => o.fulfillments.some((f) => f.status === 'released'))
  const work = fulfillments.find((f) => f.status === 'released')!
  const store = thread.api(`demo-store-${work.nodeId}`)
  const command = (path: string, body: object): Promise<unknown> => store.post(`/v1/fulfillments/${work.fulfillmentId}/${path}`, body, `story-${path}`)
  await command('pick', { lines: work.lines.map(({ lineId, quantity }) => ({ lineId, picked: quantity })) })
  await command('pack', { packages: [{ weightGrams: 1_000, lengthMm: 340, widthMm: 220, heightMm: 140, lines: work.lines.map(({ lineId, quantity }) => ({ lineId, quantity })) }] })
  await until(thread, (o) => o.shipments.some((s) => s.fulfillmentId === work.fulfillmentId && s.trackingNumber !== null))
}

/** One run with everything that waits at the node, to its end; support sees where it is. */
async function bring(thread: Thread, nodeId: string): Promise<RunView> {
  const planned = await thread.api('demo-operations').post<RunView>(`/v1/nodes/${nodeId}/runs`, { driverId: 'driver-mark' }, `story-run-${nodeId}`)
  const driver = thread.api('demo-courier-driver-mark')
  const step = (path: string, body: object = {}): Promise<RunView> => driver.post<RunView>(`/v1/runs/${planned.runId}/${path}`, body, `story-${path}`)
  await step('accept')
  const run = await step('depart')
  const mine = (o: OrderView): OrderView['shipments'][number] | undefined => o.shipments.find((s) => s.run?.runId === run.runId)
  const under = mine(await until(thread, (o) => mine(o)?.status === 'out_for_delivery'))!
  thread.say(`          ${spoken('support', `“It is out for delivery: stop ${under.run!.stop} of ${under.run!.of}, ${timeOf(under.run!.etaFrom)}–${timeOf(under.run!.etaTo)} UTC”`)}`)
  for (const stop of run.stops) {
    await step(`stops/${stop.stopId}/complete`, { tasks: stop.tasks.map(({ taskId }) => ({ taskId, outcome: 'done', proof: { name: 'Customer' } })) })
    if (stop.orderId === thread.orderId) await until(thread, (o) => mine(o)?.status === 'delivered')
  }
  await until(thread, (o) => o.money.owedMinor === 0)
  return step('return')
}

const timeOf = (at: string | null): string => at?.slice(11, 16) ?? '?'

/** Too big: the web shop asks what that would move, then for the other size; the driver who brings it takes the first pair along. */
async function askForOtherSize(thread: Thread): Promise<string> {
  const shop = thread.api('demo-channel-web')
  const ask = { lines: [{ lineId: '1', quantity: 1, sku: otherSize, reason: 'too big' }], collectOld: 'at_door' }
  const path = `/v1/orders/${thread.orderId}/replacements`
  const { money } = await shop.post<{ money: { chargeMinor: number } }>(`${path}?preview=true`, ask, 'story-preview')
  thread.say(`          ${spoken('she asks', `for ${otherSize} instead; it would cost her ${(money.chargeMinor / 100).toFixed(2)} ${currency}`)}`)
  return (await shop.post<{ returnId: string }>(path, ask, 'story-exchange')).returnId
}

/** Back at the warehouse the first pair is looked at, and on the shelf again. */
async function countIn(thread: Thread, returnId: string): Promise<void> {
  await thread.api('demo-store-dc-01').post(`/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] }, 'story-receive')
  await until(thread, (o) => o.returns[0]!.status === 'closed')
}
