/** What a channel's fact is applied with: the order it is about, an id made of the message, and who is said to have asked. */
import type { Db } from '../db/connection'
import type { InboundFact } from '../db/inbox'
import type { OrderRow } from '../db/orders'
import type { UpdateName } from '../domain/messages'
import type { Threads } from './threads'

export interface About {
  db: Db
  threads: Pick<Threads, 'ask'>
  fact: InboundFact
  order: OrderRow
  commandId: string
  actor: string
}

const patienceMs = 8_000

/** Asks the order in the channel's name. Under one id it is asked once, however often it is sent. @throws what the order says no with */
export async function askOrder({ threads, order, actor }: About, update: UpdateName, args: { commandId: string; [argument: string]: unknown }): Promise<void> {
  const named = { ...args, actor }
  await threads.ask({ orderId: order.orderId, update, args: named, deadlineMs: patienceMs })
}
