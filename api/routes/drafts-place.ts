/** A draft becomes an order here. */
import { z } from 'zod'
import { QuoteGone } from '../../db/intake'
import { hopefully, type PlanMode } from '../../db/race'
import { orderBrief } from '../../db/views/order-brief'
import { findDraft } from '../../db/drafts'
import { reachesChannel } from '../auth'
import { command } from '../command'
import { optionsInstead } from '../delivery-options'
import { may } from '../permissions'
import { placeDraft, refuseState } from '../place-draft'
import { refuse } from '../../domain/refusals'
import type { Route } from '../route'
import { placeBody, placedDraft } from '../schemas/draft'
import { uuid } from '../schemas/fields'
import { heldDraft } from './drafts'

const place = (mode: PlanMode): Route =>
  command({
    method: 'post',
    path: '/v1/drafts/{draftId}/place',
    tag: 'Drafts',
    summary: 'Make the draft an order, with the money given now',
    description: 'Tenders are those of an order and sum to the draft’s total. Whoever comes second, or again, is answered with the order it has become.',
    roles: may.placeOrders,
    params: z.strictObject({ draftId: uuid }),
    body: placeBody,
    answers: { 200: placedDraft, 201: placedDraft },
    keepRefusals: false,
    async prepare(ctx) {
      const draft = await findDraft(ctx.db, ctx.params.draftId)
      if (!draft || !reachesChannel(ctx.key, draft.channel)) throw refuse('draft.unknown')
      return ctx.deps.promises.forPlans(draft.channel)
    },
    async run(ctx, tx, promise) {
      const draft = await heldDraft(ctx, tx, ctx.params.draftId)
      const again = draft.orderId !== null
      refuseState(draft, again || draft.state === 'open' || draft.state === 'quoted')
      const brief = again ? (await orderBrief(tx, draft.orderId!))! : await placeDraft(tx, ctx.deps, draft, { tenders: ctx.body.tenders, actor: ctx.actor, promise }, mode)
      return { status: again ? 200 : 201, body: { ...brief, draftId: draft.draftId }, headers: { Location: `/v1/orders/${brief.orderId}` } }
    },
    after: (ctx, _answer, replayed) => Promise.resolve(replayed ? undefined : ctx.deps.wake()),
  })

const modes: Record<PlanMode, Route> = { hopeful: place('hopeful'), locked: place('locked') }

/** POST /v1/drafts/{draftId}/place */
export const placeDraftRoute: Route = {
  ...modes.hopeful,
  run: (ctx, req, res) => hopefully((mode) => modes[mode].run(ctx, req, res)).catch(async (cause: unknown) => {
    if (!(cause instanceof QuoteGone)) throw cause
    const draft = await findDraft(ctx.db, (ctx.params as { draftId: string }).draftId)
    throw refuse('quote.gone', { instead: await optionsInstead(ctx.deps, draft!.quote!.token, Date.now()) })
  }),
}
