/** Orders come in here. */
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { acceptedBefore, QuoteGone, type Intake } from '../../db/intake'
import { placeOrder } from '../../db/place-order'
import { activePolicies } from '../../db/policies'
import { hopefully, type PlanMode } from '../../db/race'
import { orderBrief, type OrderBrief } from '../../db/views/order-brief'
import type { SubmittedOrder } from '../../domain/order/new-order'
import { refuse } from '../../domain/refusals'
import { requireChannel } from '../auth'
import { command } from '../command'
import { optionsInstead, takeUp, type TakenUp } from '../delivery-options'
import type { PlanPromise } from '../../activities/promise-desk'
import { may } from '../permissions'
import { type Answer, type Ctx, type Route } from '../route'
import { newOrder, orderBriefAnswer, type NewOrderBody } from '../schemas/order'

const submit = (mode: PlanMode): Route =>
  command({
    method: 'post',
    path: '/v1/orders',
    tag: 'Orders',
    summary: 'Submit an order',
    description: 'Accepted once, whatever the network does: the answer goes out after order, stock claim and start are committed. A claim that cannot be had is refused with what is short.',
    roles: may.placeOrders,
    headers: z.object({ Prefer: z.string().optional().meta({ description: '`wait=5`: answer after payment and sourcing are decided, at most that many seconds (up to 30)' }) }),
    body: newOrder,
    answers: { 200: orderBriefAnswer, 201: orderBriefAnswer },
    keepRefusals: false,
    async prepare({ key, body, deps }) {
      requireChannel(key, body.channel, '/channel')
      return deps.promises.forPlans(body.channel)
    },
    async run(ctx, tx, promise) {
      const { body } = ctx
      const canonicalBody = canonicalize(body) ?? ''
      const first = 'quoteId' in body.delivery ? await acceptedBefore(tx, body, canonicalBody) : undefined
      if (first) return briefAnswer((await orderBrief(tx, first.orderId))!, 200)
      const { documents, versions } = await activePolicies(tx)
      const taken = 'quoteId' in body.delivery ? await takeUp(ctx.deps.quotes, body.delivery, body) : undefined
      const placing = {
        order: submitted(body, taken),
        ...promising(promise, body, taken),
        canonicalBody,
        actor: ctx.actor,
        now: new Date().toISOString(),
        policies: { ...documents, versions },
        customerRefSecret: ctx.deps.config.CUSTOMER_REF_SECRET,
        services: ctx.deps.services,
      }
      const { orderId, outcome, brief } = await placeOrder(tx, placing, mode)
      return briefAnswer(brief ?? (await orderBrief(tx, orderId))!, outcome === 'accepted' ? 201 : 200)
    },
    async after(ctx, answer, replayed) {
      if (!replayed) ctx.deps.wake()
      const waitMs = preferredWaitMs(ctx.header('prefer'))
      if (waitMs === 0) return
      const brief = await decided(ctx, (answer.body as OrderBrief).orderId, waitMs)
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

/** The document with what its quote stands for. */
function submitted(body: NewOrderBody, taken: TakenUp | undefined): SubmittedOrder {
  const { delivery } = body
  if ('method' in delivery) return { ...body, delivery }
  const { method, service, nodeId } = taken!.option
  return { ...body, delivery: { method, ...(travels(method) && { service }), ...(nodeId !== undefined && { nodeId }) } }
}

/** By a carrier, to the customer or to the store where she fetches it. */
const travels = (method: string): boolean => method === 'delivery' || method === 'ship_to_store'

/** What an accepted order is promised: the quoted date, or the one that the nodes chosen for it can keep. */
function promising(promise: PlanPromise, body: NewOrderBody, taken: TakenUp | undefined): Pick<Intake, 'quote' | 'promiseFor'> {
  const { method, nodeId, service } = taken?.option ?? (body.delivery as { method: string; nodeId?: string; service?: string })
  const { country = '', postalCode = '' } = body.shipTo ?? {}
  return {
    promiseFor: (shipments) => promise({ method, nodeId, ...(travels(method) && { service }), ...(country !== '' && { destination: { country, postalCode } }), shipments }, Date.now()),
    ...(taken && { quote: { id: taken.quote.id, promise: { promisedFrom: taken.option.promisedFrom, promisedBy: taken.option.promisedBy, confidence: taken.option.confidence } } }),
  }
}

/** `Prefer: wait=5` (RFC 7240), in milliseconds, at most 30 s. */
function preferredWaitMs(prefer: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(prefer ?? '')?.[1]
  return Math.min(30, Number(seconds ?? 0)) * 1000
}

const lookEveryMs = 100

/** Waits until payment and sourcing are decided, or the caller's patience ends. */
async function decided(ctx: Ctx, orderId: string, waitMs: number): Promise<OrderBrief> {
  const until = Date.now() + waitMs
  for (;;) {
    const brief = (await orderBrief(ctx.db, orderId))!
    const open = brief.status === 'placed' || brief.status === 'sourcing'
    if (!open || Date.now() >= until) return brief
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}
