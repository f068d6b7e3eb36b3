/** Facts of channels that are asked of an order: a shop cancelled what it sold. */
import { createHash } from 'node:crypto'
import type { Db } from '../db/connection'
import { once } from '../db/effects'
import type { InboundFact } from '../db/inbox'
import { orderByNumber } from '../db/orders'
import { noteRefusedCancel } from '../db/steps/close-order'
import type { CancelOrder } from '../domain/messages'
import { Refusal } from '../domain/refusals'
import type { Threads } from './threads'

export type FactHandler = (fact: InboundFact) => Promise<{ status: 'done' | 'kept'; outcome: string }>

const patienceMs = 8_000

export function channelFacts({ db, threads }: { db: Db; threads: Pick<Threads, 'ask'> }): Record<string, FactHandler> {
  return { 'shopify.orders/cancelled': (fact) => cancelOrder(db, threads, fact) }
}

/** Asks the order to cancel, under an id made of the message; a no is noted where people look. An order that has not come yet is waited for. */
async function cancelOrder(db: Db, threads: Pick<Threads, 'ask'>, fact: InboundFact): ReturnType<FactHandler> {
  const { channel, reason } = fact.payload as { channel: string; reason: string }
  const order = await orderByNumber(db, channel, fact.subject)
  if (!order) return { status: 'kept', outcome: 'no such order yet' }
  const { orderId } = order
  const commandId = createHash('sha256').update(JSON.stringify([fact.source, fact.eventId])).digest('hex')
  const actor = `channel:${channel}`
  try {
    const args: CancelOrder = { commandId, actor, reason }
    await threads.ask({ orderId, update: 'cancelOrder', args, deadlineMs: patienceMs })
    return { status: 'done', outcome: 'cancelled' }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const { code, data } = cause
    if (code !== 'order.already_cancelled') await once(db, `refused:${commandId}`, (tx) => noteRefusedCancel(tx, { orderId, actor, code, data }))
    return { status: 'done', outcome: code }
  }
}
