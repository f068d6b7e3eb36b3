/** What a kept document of a channel says of its order, read by the adapter it came by. */
import { adapterOf } from '../adapters/channels'
import type { Said } from '../domain/order/channel-update'

export const channelSaid = (source: string, body: unknown, channel: string): Said | undefined => adapterOf(source)?.said(body, channel)
