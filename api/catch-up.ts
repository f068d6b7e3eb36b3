/** Lists what a shop has and takes what never came: an order, a change, a cancellation. By the same way as its webhooks, so that whatever both bring is one order. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { sourceOf } from '../adapters/channels/adapter'
import type { ChannelClient } from '../adapters/channels/channel-api'
import { shopifyShop } from '../adapters/channels/shopify/admin-api'
import { shopify } from '../adapters/channels/shopify/mapping'
import { shopifyState } from '../adapters/channels/shopify/schema'
import { knownOrder, listedTo, type ListedChannel } from '../db/channel-sync'
import { cancelled, created, updated, type Place } from './shopify-topics'

export interface CaughtUp {
  listed: number
  /** Orders that had not come. */
  taken: number
  /** Changes and cancellations that had not come. */
  changed: number
  /** What could not become an order. */
  quarantined: number
}

/** Clocks differ, and a change may be listed a moment after it was made: so much is listed again each time. */
const overlapMs = 60 * 60_000
const mostPages = 1_000

export const clientOf = ({ callOutside: call }: Pick<Place['deps'], 'callOutside'>, { api, token }: Pick<ListedChannel, 'api' | 'token'>): ChannelClient => shopifyShop({ url: api.url, token, call })

/** @throws ChannelFault, ChannelRefusal: then nothing is marked as listed, and the next time begins where this one did */
export async function catchUp(place: Place, channel: ListedChannel): Promise<CaughtUp> {
  const shop = clientOf(place.deps, channel)
  const startedAt = new Date().toISOString()
  const since = new Date(Date.parse(channel.listedUntil) - overlapMs).toISOString()
  const sum: CaughtUp = { listed: 0, taken: 0, changed: 0, quarantined: 0 }
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const { orders, next } = await shop.listOrders(since, cursor)
    for (const body of orders) {
      sum.listed += 1
      const became = await takeListed(place, channel.channelId, body)
      if (became) sum[became] += 1
    }
    if (next === undefined) break
    cursor = next
  }
  await listedTo(place.db, channel.channelId, startedAt)
  return sum
}

const updatedAt = z.looseObject({ updated_at: z.string() })

/** Each state of an order at the shop is one message, however often it is listed. */
async function takeListed(place: Place, channel: string, body: unknown): Promise<Exclude<keyof CaughtUp, 'listed'> | undefined> {
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
