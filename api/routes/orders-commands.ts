/** Orders come in here. */
import { QuoteGone } from '../../db/intake'
import { hopefully, type PlanMode } from '../../db/race'
import { orderBrief, type OrderBrief } from '../../db/views/order-brief'
import { refuse } from '../../domain/refusals'
import { requireChannel } from '../auth'
import { command } from '../command'
import { optionsInstead } from '../delivery-options'
import { may } from '../permissions'
import { decided, preferHeader, preferredWaitMs } from '../prefer-wait'
import { type Answer, type Ctx, type Route } from '../route'
import { newOrder, orderBriefAnswer } from '../schemas/order'
import { submitDocument } from '../submit-order'

const submit = (mode: PlanMode): Route =>
  command({
    method: 'post',
    path: '/v1/orders',
    tag: 'Orders',
    summary: 'Submit an order',
    description: 'Accepted once, whatever the network does: the answer goes out after order, stock claim and start are committed. A claim that cannot be had is refused with what is short.',
    roles: may.placeOrders,
    headers: preferHeader,
    body: newOrder,
    answers: { 200: orderBriefAnswer, 201: orderBriefAnswer },
    keepRefusals: false,
    async prepare({ key, body, deps }) {
      requireChannel(key, body.channel, '/channel')
      return deps.promises.forPlans(body.channel)
    },
    async run(ctx, tx, promise) {
      const { orderId, outcome, brief } = await submitDocument(tx, ctx.deps, { body: ctx.body, actor: ctx.actor, promise }, mode)
      return briefAnswer(brief ?? (await orderBrief(tx, orderId))!, outcome === 'accepted' ? 201 : 200)
    },
    async after(ctx, answer, replayed) {
      if (!replayed) ctx.deps.wake()
      const waitMs = preferredWaitMs(ctx.header('prefer'))
      if (waitMs === 0) return
      const brief = await decided(ctx.db, (answer.body as OrderBrief).orderId, waitMs)
      return { ...briefAnswer(brief, answer.status), headers: { 'Preference-Applied': `wait=${waitMs / 1000}` } }
    },
  })

const modes: Record<PlanMode, Route> = { hopeful: submit('hopeful'), locked: submit('locked') }

/** POST /v1/orders */
export const submitOrder: Route = {
  ...modes.hopeful,
  async run(ctx, req, res) {
    const startedAt = performance.now()
    const answer = await orQuoteGone(ctx, () => hopefully((mode) => modes[mode].run(ctx, req, res)))
    if (ctx.header('prefer') === undefined) ctx.deps.observeIntake?.(performance.now() - startedAt)
    return answer
  },
}

/** An order under a quote that can no longer be kept is refused with what can be had instead. */
async function orQuoteGone(ctx: Ctx, submitting: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
  try {
    return await submitting()
  } catch (cause) {
    if (!(cause instanceof QuoteGone)) throw cause
    const { delivery } = ctx.body as { delivery: { quoteId: string } }
    throw refuse('quote.gone', { instead: await optionsInstead(ctx.deps, delivery.quoteId, Date.now()) })
  }
}

const briefAnswer = (brief: OrderBrief, status: number): Answer => ({ status, body: brief, headers: { Location: `/v1/orders/${brief.orderId}` } })
