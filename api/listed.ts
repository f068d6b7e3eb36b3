/** An order that a channel lists, as what it is here: new, changed, or nothing that had not come by itself. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { sourceOf } from '../adapters/channels/adapter'
import { amazon, cancelledAtAmazon } from '../adapters/channels/amazon/mapping'
import { shopify } from '../adapters/channels/shopify/mapping'
import { shopifyState } from '../adapters/channels/shopify/schema'
import { knownOrder } from '../db/channel-sync'
import { cancelledByAmazon, createdAtAmazon, retakenAtAmazon } from './amazon-orders'
import { cancelled, created, updated, type Place } from './shopify-topics'

export type Became = 'taken' | 'changed' | 'quarantined' | undefined

const updatedAt = z.looseObject({ updated_at: z.string() })

/** Each state of an order at the shop is one message, however often it is listed. */
export async function listedAtShopify(place: Place, channel: string, body: unknown): Promise<Became> {
  const channelOrderId = shopify.numberOf(body)
  const read = updatedAt.safeParse(body)
  const mark = read.success ? read.data.updated_at : createHash('sha256').update(JSON.stringify(body)).digest('hex')
  const message = { channel, source: sourceOf(shopify, channel), eventId: `listed:${channelOrderId ?? ''}:${mark}`.slice(0, 200), body }
  const known = channelOrderId === undefined ? undefined : await knownOrder(place.db, channel, channelOrderId)
  const isCancelled = shopifyState.safeParse(body).data?.cancelled_at !== undefined
  if (known?.orderId) {
    if (isCancelled && known.stage === 'open') return (await cancelled(place, { ...message, eventId: `listed:cancelled:${channelOrderId}` }), 'changed')
    const saidAt = shopify.said(body, channel)?.saidAt
    if (isCancelled || !saidAt || (known.saidAt !== null && saidAt <= known.saidAt)) return undefined
    return (await updated(place, message), 'changed')
  }
  if (isCancelled) return undefined // sold and cancelled while nobody told us: there is nothing to do
  if (known?.quarantined) {
    if (shopify.map(body, channel).reasons.length > 0) return undefined
    return (await updated(place, message)).orderId ? 'taken' : undefined
  }
  const { orderId } = await created(place, message)
  return orderId ? 'taken' : 'quarantined'
}

/** Amazon changes nothing of an order but to cancel it. What it has not released yet, or sends itself, is no order of ours and kept for nobody; it is listed again when that changes. */
export async function listedAtAmazon(place: Place, channel: string, body: unknown): Promise<Became> {
  const channelOrderId = amazon.numberOf(body)
  const known = channelOrderId === undefined ? undefined : await knownOrder(place.db, channel, channelOrderId)
  const isCancelled = cancelledAtAmazon(body) !== undefined
  if (isCancelled && known?.orderId && known.stage === 'open') return (await cancelledByAmazon(place, { channel, channelOrderId: channelOrderId! }), 'changed')
  if (isCancelled || known?.orderId) return undefined
  const message = { channel, eventId: `listed:${channelOrderId ?? ''}:${markOf(body)}`.slice(0, 200), body }
  if (known?.quarantined) return (await retakenAtAmazon(place, message)).orderId ? 'taken' : undefined
  const { reasons } = amazon.map(body, channel)
  if (reasons.length > 0 && reasons.every((r) => notOurs.has(r.code ?? ''))) return undefined
  const { orderId } = await createdAtAmazon(place, message)
  return orderId ? 'taken' : 'quarantined'
}
const notOurs: ReadonlySet<string> = new Set(['channel.not_paid', 'channel.fulfilled_elsewhere', 'channel.order_cancelled'])

const lastUpdated = z.looseObject({ order: z.looseObject({ lastUpdatedTime: z.string() }) })
const markOf = (body: unknown): string => lastUpdated.safeParse(body).data?.order.lastUpdatedTime ?? createHash('sha256').update(JSON.stringify(body)).digest('hex')
