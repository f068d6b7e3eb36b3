/** What an id in the path gives away: nothing, to a key that may not see it. Unknown and invisible are the same 404. */
import { fulfillmentPlace } from '../db/views/fulfillments'
import { orderChannel } from '../db/views/orders'
import { refuse } from '../domain/refusals'
import { reachesChannel, reachesNode } from './auth'
import type { Ctx } from './route'

/** @throws `order.unknown` */
export async function visibleOrder(ctx: Ctx, orderId: string): Promise<{ channel: string }> {
  const channel = await orderChannel(ctx.db, orderId)
  if (channel === undefined || !reachesChannel(ctx.key, channel)) throw refuse('order.unknown')
  return { channel }
}

/** @throws `fulfillment.unknown` */
export async function visibleFulfillment(ctx: Ctx, fulfillmentId: string): Promise<{ nodeId: string; orderId: string }> {
  const place = await fulfillmentPlace(ctx.db, fulfillmentId)
  if (!place || !reachesNode(ctx.key, place.nodeId)) throw refuse('fulfillment.unknown')
  return place
}
