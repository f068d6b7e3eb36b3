/** What each of Shopify's messages does: an order comes, is changed, is cancelled, or its money is given back. Kept first, under its own id; what concerns an order is asked of it after. */
import { z } from 'zod'
import { shopify } from '../adapters/channels/shopify/mapping'
import { schemaReasons } from '../adapters/channels/reading'
import { readShopifyRefund } from '../adapters/channels/shopify/refund'
import { digitsOf, shopifyCancellation } from '../adapters/channels/shopify/schema'
import { firstChannelAnswer, keepChannelAnswer, keepDocument, type ChannelAnswer } from '../db/channel-messages'
import type { Transaction } from '../db/connection'
import { receiveFact } from '../db/inbox'
import { findByNumber } from '../db/place-order'
import { isQuarantined, quarantine } from '../db/quarantine'
import type { RefusalDetail } from '../domain/refusals'
import { takeChannelOrder, takeOrKeep } from './channel-orders'
import type { Ctx } from './route'

export interface Delivery {
  channel: string
  source: string
  eventId: string
  body: unknown
}
export interface Place {
  db: Ctx['db']
  deps: Pick<Ctx['deps'], 'services' | 'config' | 'wake' | 'callOutside' | 'observeIntake'>
}

/** The inbox row, the order or the quarantined body, and the answer are one transaction; ten repeats at once wait for the first. */
export async function created({ db, deps }: Place, { channel, source, eventId, body }: Delivery): Promise<ChannelAnswer> {
  const startedAt = performance.now()
  const answer = await db.transaction(async (tx) => {
    const fresh = await receiveFact(tx, { source, eventId, kind: 'shopify.orders/create', subject: eventId, payload: {} })
    return fresh ? takeOrKeep(tx, deps, shopify, { channel, eventId, body }) : firstChannelAnswer(tx, source, eventId)
  })
  deps.observeIntake?.(performance.now() - startedAt)
  if (answer.orderId) deps.wake()
  return answer
}

/** The wish to cancel is kept first and asked of the order after; one that comes before its order waits for it. */
export async function cancelled(place: Place, delivery: Delivery): Promise<ChannelAnswer> {
  const read = shopifyCancellation.safeParse(delivery.body)
  if (!read.success) return keptBack(place, delivery, 'orders/cancelled', schemaReasons(read.error))
  const channelOrderId = digitsOf(read.data.admin_graphql_api_id)
  return askedAfter(place, delivery, { topic: 'orders/cancelled', channelOrderId, payload: { reason: read.data.cancel_reason } })
}

/** The document is kept, and compared with what the shop said before. One that says that what is quarantined can be an order now makes it one. */
export async function updated(place: Place, delivery: Delivery): Promise<ChannelAnswer> {
  const { channel, source, eventId, body } = delivery
  const [channelOrderId, said] = [shopify.numberOf(body), shopify.said(body, channel)]
  if (channelOrderId === undefined || !said) return keptBack(place, delivery, 'orders/updated', shopify.map(body, channel).reasons)
  const became = await place.db.transaction(async (tx) => {
    if (!(await isQuarantined(tx, channel, channelOrderId)) || (await findByNumber(tx, channel, channelOrderId))) return undefined
    const { orderId } = await takeChannelOrder(tx, place.deps, shopify, delivery)
    if (orderId === undefined) return undefined
    await receiveFact(tx, { source, eventId, kind: 'shopify.orders/updated', subject: channelOrderId, payload: {} })
    await keepChannelAnswer(tx, source, eventId, { orderId })
    return { orderId }
  })
  if (became) place.deps.wake()
  const keep = (tx: Transaction): Promise<void> => keepDocument(tx, { source, eventId, channel, channelOrderId, topic: 'update', body, saidAt: said.saidAt })
  return became ?? askedAfter(place, delivery, { topic: 'orders/updated', channelOrderId, payload: {}, keep })
}

/** The shop has given money back by itself; what that means for the goods is asked of the order. */
export async function refunded(place: Place, delivery: Delivery): Promise<ChannelAnswer> {
  const refund = readShopifyRefund(delivery.body)
  if (refund instanceof Error) return keptBack(place, delivery, 'refunds/create', schemaReasons(refund))
  const { channelOrderId, ...given } = refund
  const { channel, source, eventId, body } = delivery
  const keep = (tx: Transaction): Promise<void> => keepDocument(tx, { source, eventId, channel, channelOrderId, topic: 'refund', body })
  return askedAfter(place, delivery, { topic: 'refunds/create', channelOrderId, payload: { ...given }, keep })
}

interface Wish {
  topic: string
  channelOrderId: string
  payload: Record<string, unknown>
  keep?: (tx: Transaction) => Promise<void>
}

async function askedAfter({ db, deps }: Place, { channel, source, eventId }: Delivery, { topic, channelOrderId, payload, keep }: Wish): Promise<ChannelAnswer> {
  const found = await db.transaction(async (tx) => {
    const fresh = await receiveFact(tx, { source, eventId, kind: `shopify.${topic}`, subject: channelOrderId, payload: { channel, ...payload } })
    if (fresh) await keep?.(tx)
    return findByNumber(tx, channel, channelOrderId)
  })
  deps.wake()
  return found ?? {}
}

/** What a message of a topic is not, that it says it is; none: it can be asked of its order. @param before what it was kept for: money that is still missing is missing still */
export function topicReasons(topic: string, body: unknown, channel: string, before: readonly RefusalDetail[]): RefusalDetail[] {
  if (topic === 'orders/cancelled') return reasonsOf(shopifyCancellation.safeParse(body))
  if (topic === 'refunds/create') return reasonsOf(asRead(readShopifyRefund(body)))
  const said = shopify.numberOf(body) === undefined ? undefined : shopify.said(body, channel)
  if (!said) return shopify.map(body, channel).reasons
  return said.money?.isPaid === false ? before.filter((r) => r.code === 'channel.not_paid') : []
}

const reasonsOf = ({ error }: { error?: z.ZodError }): RefusalDetail[] => (error ? schemaReasons(error) : [])
const asRead = (read: object): { error?: z.ZodError } => (read instanceof z.ZodError ? { error: read } : {})

/** A message that was kept back, once it can be read. */
export const retaken: Record<string, (place: Place, delivery: Delivery) => Promise<ChannelAnswer>> = { 'orders/cancelled': cancelled, 'orders/updated': updated, 'refunds/create': refunded }

/** What cannot be read as what it says it is. */
const keptBack = ({ db }: Place, { channel, source, eventId, body }: Delivery, topic: string, reasons: readonly RefusalDetail[]): Promise<ChannelAnswer> =>
  db.transaction(async (tx) => {
    if (!(await receiveFact(tx, { source, eventId, kind: `shopify.${topic}`, subject: eventId, payload: {} }))) return firstChannelAnswer(tx, source, eventId)
    const outcome = { quarantineId: await quarantine(tx, { channel, source, eventId, topic, channelOrderId: shopify.numberOf(body), body, reasons }) }
    await keepChannelAnswer(tx, source, eventId, outcome)
    return outcome
  })
