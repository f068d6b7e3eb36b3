/** Lists what a channel has and takes what never came: an order, a change, a cancellation. By the same way as what it sends by itself, so that whatever both bring is one order. */
import type { ChannelClient } from '../adapters/channels/channel-api'
import { amazonSeller } from '../adapters/channels/amazon/selling-partner-api'
import { shopifyShop } from '../adapters/channels/shopify/admin-api'
import { listedTo, type ListedChannel } from '../db/channel-sync'
import type { ChannelAccess } from '../db/network'
import { listedAtAmazon, listedAtShopify } from './listed'
import type { Place } from './shopify-topics'

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

export const clientOf = ({ callOutside: call }: Pick<Place['deps'], 'callOutside'>, { api, token, secret }: ChannelAccess): ChannelClient =>
  api.kind === 'amazon' ? amazonSeller({ ...api, refreshToken: token, clientSecret: secret ?? '', call }) : shopifyShop({ url: api.url, token, call })

/** @throws ChannelFault, ChannelRefusal: then nothing is marked as listed, and the next time begins where this one did */
export async function catchUp(place: Place, channel: ListedChannel): Promise<CaughtUp> {
  const shop = clientOf(place.deps, channel)
  const take = channel.api.kind === 'amazon' ? listedAtAmazon : listedAtShopify
  const startedAt = new Date().toISOString()
  const since = new Date(Date.parse(channel.listedUntil) - overlapMs).toISOString()
  const sum: CaughtUp = { listed: 0, taken: 0, changed: 0, quarantined: 0 }
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const { orders, next } = await shop.listOrders(since, cursor)
    for (const body of orders) {
      sum.listed += 1
      const became = await take(place, channel.channelId, body)
      if (became) sum[became] += 1
    }
    if (next === undefined) break
    cursor = next
  }
  await listedTo(place.db, channel.channelId, startedAt)
  return sum
}
