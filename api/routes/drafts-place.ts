/** A draft becomes an order here: with the money given now, or with what has come another way. */
import { z } from 'zod'
import type { Transaction } from '../../db/connection'
import { isLive, linkOfDraft } from '../../db/draft-links'
import { findDraft } from '../../db/drafts'
import { QuoteGone } from '../../db/intake'
import { hopefully, type PlanMode } from '../../db/race'
import { orderBrief } from '../../db/views/order-brief'
import { asQuoted, type DraftState } from '../../domain/draft/draft'
import { draftTotals } from '../../domain/draft/totals'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { command } from '../command'
import { optionsInstead } from '../delivery-options'
import { may, type Role } from '../permissions'
import { placeDraft, refuseState, type DraftPlacing } from '../place-draft'
import { refuseField } from '../problem'
import { decided, preferHeader, preferredWaitMs } from '../prefer-wait'
import type { Route } from '../route'
import { paidBody, placeBody, placedDraft } from '../schemas/draft'
import { uuid } from '../schemas/fields'
import { heldDraft } from './drafts'

interface Placing<Body extends z.ZodType> {
  path: string
  summary: string
  description: string
  body: Body
  /** In which a draft is placed this way. */
  from: readonly DraftState[]
  /** @throws `auth.role`, `request.invalid` */
  money(body: z.output<Body>, amountMinor: number, role: Role): Pick<DraftPlacing, 'tenders' | 'dueAt'>
}

const placed = <Body extends z.ZodType>(mode: PlanMode, { from, money, path, summary, description, body }: Placing<Body>): Route =>
  command({
    method: 'post',
    path,
    tag: 'Drafts',
    summary,
    description,
    roles: may.placeOrders,
    params: z.strictObject({ draftId: uuid }),
    headers: preferHeader,
    body,
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
      await refuseState(tx, draft, again || (from.includes(draft.state) && !(await isPaidByLink(tx, draft.draftId))))
      const { totalMinor } = draftTotals(asQuoted(draft.document, draft.quote))
      const brief = again ? (await orderBrief(tx, draft.orderId!))! : await placeDraft(tx, ctx.deps, draft, { ...money(ctx.body, totalMinor, ctx.key.role), actor: ctx.actor, promise }, mode)
      return { status: again ? 200 : 201, body: { ...brief, draftId: draft.draftId }, headers: { Location: `/v1/orders/${brief.orderId}` } }
    },
    async after(ctx, answer, replayed) {
      if (!replayed) ctx.deps.wake()
      const waitMs = preferredWaitMs(ctx.header('prefer'))
      if (waitMs === 0) return
      const before = answer.body as { orderId: string; draftId: string }
      return { ...answer, body: { ...(await decided(ctx.db, before.orderId, waitMs)), draftId: before.draftId }, headers: { 'Preference-Applied': `wait=${waitMs / 1000}` } }
    },
  })

/** Then the link's money makes the order, and no other. */
const isPaidByLink = async (tx: Transaction, draftId: string): Promise<boolean> => {
  const link = await linkOfDraft(tx, draftId)
  return link !== undefined && isLive(link)
}

const hopefullyPlaced = <Body extends z.ZodType>(placing: Placing<Body>): Route => {
  const modes: Record<PlanMode, Route> = { hopeful: placed('hopeful', placing), locked: placed('locked', placing) }
  return {
    ...modes.hopeful,
    run: (ctx, req, res) =>
      hopefully((mode) => modes[mode].run(ctx, req, res)).catch(async (cause: unknown) => {
        if (!(cause instanceof QuoteGone)) throw cause
        const draft = await findDraft(ctx.db, (ctx.params as { draftId: string }).draftId)
        throw refuse('quote.gone', { instead: await optionsInstead(ctx.deps, draft!.quote!.token, Date.now()) })
      }),
  }
}

/** On terms. It is people who give credit, and not a channel or a till. @throws `auth.role`, `request.invalid` */
function sold({ dueAt }: { dueAt: string }, amountMinor: number, role: Role): Pick<DraftPlacing, 'tenders' | 'dueAt'> {
  if (!(may.sellOnTerms as readonly Role[]).includes(role)) throw refuse('auth.role', { role, needs: may.sellOnTerms })
  if (dueAt <= new Date().toISOString()) throw refuseField('/onTerms/dueAt', 'Must lie ahead')
  return { tenders: [{ tenderId: 'terms', provider: 'paid_elsewhere', amountMinor }], dueAt }
}

/** POST /v1/drafts/{draftId}/place */
export const placeDraftRoute = hopefullyPlaced({
  path: '/v1/drafts/{draftId}/place',
  summary: 'Make the draft an order, with the money given now or on terms',
  description: 'Tenders are those of an order and sum to the draft’s total; on terms finance has a case until all of it has come. Whoever comes second, or again, is answered with the order it has become.',
  body: placeBody,
  from: ['open', 'quoted'],
  money: ({ tenders, onTerms }, amountMinor, role) => (onTerms ? sold(onTerms, amountMinor, role) : { tenders: tenders! }),
})

/** POST /v1/drafts/{draftId}/paid */
export const paidDraftRoute = hopefullyPlaced({
  path: '/v1/drafts/{draftId}/paid',
  summary: 'The money of a draft that is paid later has come: make it an order',
  description: 'All of it, by whatever way; the order has it as paid elsewhere. Said twice, it is one order.',
  body: paidBody,
  from: ['awaiting_payment'],
  money: (_, amountMinor) => ({ tenders: [{ tenderId: 'later', provider: 'paid_elsewhere', amountMinor }] }),
})
