/** What an id in the path gives away: nothing, to a key that may not see it. Unknown and invisible are the same 404. */
import { fulfillmentPlace } from '../db/views/fulfillments'
import { unknownNodes } from '../db/views/network'
import { orderChannel } from '../db/views/orders'
import { refusals, refuse } from '../domain/refusals'
import { reachesChannel, reachesNode, requireNode } from './auth'
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

/** For what a body names and a step will write. @throws `auth.scope`, `node.unknown`, with the place that names it */
export async function knownNode(ctx: Ctx, nodeId: string, pointer: string): Promise<void> {
  requireNode(ctx.key, nodeId, pointer)
  if ((await unknownNodes(ctx.db, [nodeId])).length > 0) throw refuse('node.unknown', { nodeId }, undefined, [{ pointer, message: refusals['node.unknown'].says }])
}
