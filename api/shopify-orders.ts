/** A Shopify order on its way in: mapped, checked against the network, accepted or kept in quarantine with every reason. Shared by the webhook and the repair. */
import canonicalize from 'canonicalize'
import { mapShopifyOrder, shopifyPointer } from '../adapters/channels/shopify/mapping'
import { writeAudit } from '../db/audit'
import { recordResubmitted, wakeKeptMessages } from '../db/channel-messages'
import type { Transaction } from '../db/connection'
import { orderProblems, placeOrder } from '../db/place-order'
import { activePolicies } from '../db/policies'
import { Refusal, type RefusalDetail } from '../domain/refusals'
import type { RouteDeps } from './deps'

export interface ShopifyMessage {
  channel: string
  eventId: string
  body: unknown
}
export type Taken = { orderId: string; reasons?: undefined } | { orderId?: undefined; reasons: RefusalDetail[] }

export const shopifySource = (channel: string): string => `shopify:${channel}`

/** Takes the order, or says everything that is against it. Nothing is written in the second case. */
export async function takeShopifyOrder(tx: Transaction, deps: Pick<RouteDeps, 'services' | 'config'>, { channel, eventId, body }: ShopifyMessage): Promise<Taken> {
  const { order, reasons } = mapShopifyOrder(body, channel)
  const problems = order ? (await orderProblems(tx, order, deps.services)).map(({ code, pointer, message }) => ({ code, pointer: shopifyPointer(pointer), message })) : []
  if (!order || reasons.length + problems.length > 0) return { reasons: [...reasons, ...problems] }
  const { documents, versions } = await activePolicies(tx)
  const placing = {
    order,
    canonicalBody: canonicalize(order) ?? '',
    actor: `channel:${channel}`,
    now: new Date().toISOString(),
    policies: { ...documents, versions },
    customerRefSecret: deps.config.CUSTOMER_REF_SECRET,
    services: deps.services,
  }
  try {
    const { orderId, outcome } = await placeOrder(tx, placing, 'hopeful') // claims nothing, so there is no race to lose
    if (outcome === 'accepted') await writeAudit(tx, { actor: placing.actor, action: 'order.create', subject: orderId, cause: `${shopifySource(channel)}:${eventId}` })
    if (outcome === 'accepted') await wakeKeptMessages(tx, shopifySource(channel), order.channelOrderId)
    return { orderId }
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'order.duplicate') throw cause
    const orderId = String(cause.data.orderId)
    await recordResubmitted(tx, { orderId, channel }, eventId)
    return { orderId }
  }
}
