/** The life of one order: from acceptance until nothing about it can change any more. */
import { allHandlersFinished, CancellationScope } from '@temporalio/workflow'
import type { OrderEnding, OrderStart } from '../domain/messages'
import { afterSale, close, isEnding, settleLateMoney, unwind } from './order/ending'
import { fulfil, hasNews } from './order/fulfil'
import { listen } from './order/messages'
import { settlePayment } from './order/payment'
import { wantsLabels } from './order/return-labels'
import { reopen } from './order/returns'
import { show } from './order/show'
import { openThread, type Thread } from './order/thread'
import { parking } from './support/failures'
import { condition, takeTurns } from './support/turns'

export const order = (start: OrderStart): Promise<OrderEnding> =>
  CancellationScope.nonCancellable(() => {
    if (start.manner) takeTurns()
    const thread = openThread(start) // state; then messages; then what the Temporal UI shows
    listen(thread)
    show(thread)
    return start.cancelled ? settleLateMoney(thread) : live(thread)
  })

async function live(thread: Thread): Promise<OrderEnding> {
  try {
    await thread.story.run(() => tell(thread))
    return await close(thread, 'completed')
  } catch (cause) {
    if (!isEnding(thread, cause)) throw parking(cause) // our bug: wait until it is fixed, never cancel a customer's order for it
    return await unwind(thread, cause)
  }
}

async function tell(thread: Thread): Promise<void> {
  if (thread.start.reopened) await reopen(thread)
  else await settlePayment(thread) // authorised; or declined; or given up at its deadline
  do {
    await fulfil(thread) // every unit has a node, or waits for one with a deadline; each part to its end; what a node rejects goes to the next best; what is sent back is counted and paid back
    await afterSale(thread) // until the return window has closed
    await condition(() => allHandlersFinished() || wantsLabels(thread)) // who asks for a return waits for its label
  } while (hasNews(thread)) // something comes back, or is sent in place of something
}
