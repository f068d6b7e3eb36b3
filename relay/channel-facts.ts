/** Facts of channels that are asked of an order: a shop cancelled what it sold, changed it, or gave its money back. */
import { createHash } from 'node:crypto'
import type { Db } from '../db/connection'
import { once } from '../db/effects'
import type { InboundFact } from '../db/inbox'
import { orderByNumber } from '../db/orders'
import { noteRefusedCancel } from '../db/steps/close-order'
import { Refusal } from '../domain/refusals'
import { askOrder, type About } from './channel-about'
import { applyRefund } from './channel-refunds'
import { applyUpdate } from './channel-updates'
import type { Threads } from './threads'

export type Outcome = { status: 'done' | 'kept'; outcome: string }
export type FactHandler = (fact: InboundFact) => Promise<Outcome>

export function channelFacts({ db, threads }: { db: Db; threads: Pick<Threads, 'ask'> }): Record<string, FactHandler> {
  /** An order that has not come yet is waited for. */
  const asked = (apply: (about: About) => Promise<string>): FactHandler => async (fact) => {
    const { channel } = fact.payload as { channel: string }
    const order = await orderByNumber(db, channel, fact.subject)
    if (!order) return { status: 'kept', outcome: 'no such order yet' }
    const commandId = createHash('sha256').update(JSON.stringify([fact.source, fact.eventId])).digest('hex')
    return { status: 'done', outcome: await apply({ db, threads, fact, order, commandId, actor: `channel:${channel}` }) }
  }
  return {
    'shopify.orders/cancelled': asked(cancelOrder),
    'shopify.orders/updated': asked(applyUpdate),
    'shopify.refunds/create': asked(applyRefund),
    'amazon.cancelled': asked(cancelOrder),
  }
}

/** A no is noted where people look. */
async function cancelOrder(about: About): Promise<string> {
  const { db, fact, commandId, actor } = about
  const { orderId } = about.order
  try {
    await askOrder(about, 'cancelOrder', { commandId, reason: String(fact.payload.reason) })
    return 'cancelled'
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const { code, data } = cause
    if (code !== 'order.already_cancelled') await once(db, `refused:${commandId}`, (tx) => noteRefusedCancel(tx, { orderId, actor, code, data }))
    return code
  }
}
