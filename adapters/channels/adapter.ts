/** What an adapter of a channel is asked: its document in our words, with every reason why it is not an order, and where a place of ours stands in it. */
import type { Said } from '../../domain/order/channel-update'
import type { SubmittedOrder } from '../../domain/order/new-order'
import type { RefusalDetail } from '../../domain/refusals'

/** The order as far as it can be read, and what the channel's own words say against it. What the network knows (SKUs, the channel's currency) is checked after. */
export type Mapped = { order: SubmittedOrder; reasons: RefusalDetail[] } | { order?: undefined; reasons: RefusalDetail[] }

export interface ChannelAdapter {
  /** Also the beginning of the source its messages are kept under: `shopify:web`. */
  readonly name: string
  map(body: unknown, channel: string): Mapped
  /** The number of the order that a body is about, where that much of it can be read. */
  numberOf(body: unknown): string | undefined
  /** Where the channel counts its orders, the number it has counted this one with. */
  sequenceOf(body: unknown): number | undefined
  /** What a later document says of the order, and when the channel said it; undefined where it cannot be read. */
  said(body: unknown, channel: string): (Said & { saidAt: string | null }) | undefined
  /** Where a problem of our document stands in the channel's. */
  pointer(pointer: string): string
}

/** Names a channel's message source. */
export const sourceOf = (adapter: Pick<ChannelAdapter, 'name'>, channel: string): string => `${adapter.name}:${channel}`
