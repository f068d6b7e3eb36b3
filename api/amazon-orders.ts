/** What documents of Amazon do, whether they are handed on or were listed: an order comes, or is cancelled. */
import { sourceOf } from '../adapters/channels/adapter'
import { amazon } from '../adapters/channels/amazon/mapping'
import { firstChannelAnswer, keepChannelAnswer, type ChannelAnswer } from '../db/channel-messages'
import type { Db, Transaction } from '../db/connection'
import { receiveFact } from '../db/inbox'
import { findByNumber } from '../db/place-order'
import { takeChannelOrder, takeOrKeep, type ChannelMessage } from './channel-orders'
import type { Place } from './shopify-topics'

/** The inbox row, the order or the quarantined body, and the answer are one transaction. */
export async function createdAtAmazon({ db, deps }: { db: Db | Transaction; deps: Place['deps'] }, message: ChannelMessage): Promise<ChannelAnswer> {
  const source = sourceOf(amazon, message.channel)
  const answer = await db.transaction(async (tx) => {
    const fresh = await receiveFact(tx, { source, eventId: message.eventId, kind: 'amazon.order', subject: message.eventId, payload: {} })
    return fresh ? takeOrKeep(tx, deps, amazon, message) : firstChannelAnswer(tx, source, message.eventId)
  })
  if (answer.orderId) deps.wake()
  return answer
}

/** What waits in quarantine is looked at again, and stays there if it is still no order. */
export async function retakenAtAmazon({ db, deps }: Place, message: ChannelMessage): Promise<ChannelAnswer> {
  const answer = await db.transaction(async (tx) => {
    const { orderId } = await takeChannelOrder(tx, deps, amazon, message)
    if (orderId !== undefined) await receiveFact(tx, { source: sourceOf(amazon, message.channel), eventId: message.eventId, kind: 'amazon.order', subject: message.eventId, payload: {} })
    if (orderId !== undefined) await keepChannelAnswer(tx, sourceOf(amazon, message.channel), message.eventId, { orderId })
    return orderId === undefined ? {} : { orderId }
  })
  if (answer.orderId) deps.wake()
  return answer
}

/** Kept first and asked of the order after; one that comes before its order waits for it. However often it is said, it is one wish. */
export async function cancelledByAmazon({ db, deps }: { db: Db | Transaction; deps: Pick<Place['deps'], 'wake'> }, { channel, channelOrderId }: { channel: string; channelOrderId: string }): Promise<ChannelAnswer> {
  const found = await db.transaction(async (tx) => {
    await receiveFact(tx, { source: sourceOf(amazon, channel), eventId: `cancelled:${channelOrderId}`, kind: 'amazon.cancelled', subject: channelOrderId, payload: { channel, reason: 'cancelled at Amazon' } })
    return findByNumber(tx, channel, channelOrderId)
  })
  deps.wake()
  return found ?? {}
}
