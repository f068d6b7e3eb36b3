/** An order in a channel's own words on its way in: mapped, checked against the network, accepted or kept in quarantine with every reason. Shared by every door and the repair. */
import canonicalize from 'canonicalize'
import { sourceOf, type ChannelAdapter } from '../adapters/channels/adapter'
import { documentBecameOrder, keepChannelAnswer, keepDocument, recordResubmitted, type ChannelAnswer } from '../db/channel-messages'
import type { Transaction } from '../db/connection'
import { checkOrder, placeChecked } from '../db/place-order'
import { activePolicies } from '../db/policies'
import { quarantine } from '../db/quarantine'
import { Refusal, type RefusalDetail } from '../domain/refusals'
import type { RouteDeps } from './deps'

export interface ChannelMessage {
  channel: string
  eventId: string
  body: unknown
}
export type Taken = { orderId: string; reasons?: undefined } | { orderId?: undefined; reasons: RefusalDetail[] }
type Deps = Pick<RouteDeps, 'services' | 'config'>

/** The order or the quarantined body, in the transaction in which the message is known to be fresh. */
export async function takeOrKeep(tx: Transaction, deps: Deps, adapter: ChannelAdapter, message: ChannelMessage): Promise<ChannelAnswer> {
  const source = sourceOf(adapter, message.channel)
  const { orderId, reasons } = await takeChannelOrder(tx, deps, adapter, message)
  const outcome: ChannelAnswer = reasons ? { quarantineId: await quarantine(tx, { ...message, source, channelOrderId: adapter.numberOf(message.body), sequence: adapter.sequenceOf(message.body), reasons }) } : { orderId }
  await keepChannelAnswer(tx, source, message.eventId, outcome)
  return outcome
}

/** Takes the order, or says everything that is against it. Nothing is written in the second case. */
export async function takeChannelOrder(tx: Transaction, deps: Deps, adapter: ChannelAdapter, { channel, eventId, body }: ChannelMessage): Promise<Taken> {
  const { order, reasons } = adapter.map(body, channel)
  if (!order) return { reasons }
  const checked = await checkOrder(tx, order, deps.services)
  const problems = checked.problems.map(({ code, pointer, message }) => ({ code, pointer: adapter.pointer(pointer), message }))
  if (reasons.length + problems.length > 0) return { reasons: [...reasons, ...problems] }
  const { documents, versions } = await activePolicies(tx)
  const source = sourceOf(adapter, channel)
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
    const { orderId, outcome } = await placeChecked(tx, placing, checked, 'hopeful') // claims nothing, so there is no race to lose
    if (outcome === 'accepted') {
      const document = { source, eventId, channel, channelOrderId: order.channelOrderId, topic: 'order', body, saidAt: adapter.said(body, channel)?.saidAt, sequence: adapter.sequenceOf(body) }
      await documentBecameOrder(tx, document, orderId, { actor: placing.actor, action: 'order.create', subject: orderId, cause: `${source}:${eventId}` })
    }
    return { orderId }
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'order.duplicate') throw cause
    const orderId = String(cause.data.orderId)
    await keepDocument(tx, { source, eventId, channel, channelOrderId: order.channelOrderId, topic: 'resubmitted', body })
    await recordResubmitted(tx, { orderId, channel }, eventId)
    return { orderId }
  }
}
