/** Money given back by hand: asked for, and where it is beyond what came back, agreed to by another person. What is given goes the way of every refund. */
import { defineUpdate } from '@temporalio/workflow'
import { updates, type DecideRefund, type GiveAgain, type RefundAnswer, type RefundOrder } from '../../domain/messages'
import type { IntendedRefund } from '../../db/refunds'
import { asked } from '../support/activities'
import { answering } from '../support/failures'
import { setHandler } from '../support/handlers'
import { withThread } from './return-news'
import type { Thread } from './thread'

const refundOrder = defineUpdate<RefundAnswer, [RefundOrder]>(updates.refundOrder)
const giveRefundAgain = defineUpdate<{ refundReference: string }, [GiveAgain]>(updates.giveRefundAgain)
const decideRefund = defineUpdate<RefundAnswer, [DecideRefund]>(updates.decideRefund)

export function listenForRefunds(thread: Thread): void {
  const { orderId } = thread.start
  const giving = <News extends { refunds: IntendedRefund[] }>(effect: () => Promise<News>, also = {}): Promise<Omit<News, 'refunds'>> =>
    withThread(thread, async () => {
      const { refunds, ...answer } = await answering(effect)
      thread.owed.push(...refunds)
      return answer
    }, also)
  setHandler(refundOrder, (ask) => giving(() => asked('A refund is asked for').refundOrder({ ...ask, orderId })), { description: 'Money is to be given back that no return asks for. Above the value received it waits for another person.' })
  setHandler(decideRefund, (ask) => giving(() => asked(`The refund: ${ask.decision}`).decideRefund({ ...ask, orderId })), { description: 'Another person agrees to a refund above the value received, or refuses it.' })
  setHandler(giveRefundAgain, (ask) => giving(() => asked('A refund that came back is given another way').giveRefundAgain({ ...ask, orderId }), { evenCancelled: true }), { description: 'The customer is owed a refund that came back: another payment gives it, or it is store credit, or somebody has sent it.' })
}
