/** A draft waits for its money here: by a link at which the customer pays, or for money that comes another way. */
import { z } from 'zod'
import { awaitPayment, channelOfDraft, findDraft, reopenDraft, type DraftRow } from '../../db/drafts'
import { endLink, intendLink, linkOfDraft } from '../../db/draft-links'
import type { Transaction } from '../../db/connection'
import { asQuoted, draftNumber } from '../../domain/draft/draft'
import { draftTotals } from '../../domain/draft/totals'
import { refuse } from '../../domain/refusals'
import { command } from '../command'
import { may } from '../permissions'
import { refuseExpired, refuseIncomplete, refuseState } from '../place-draft'
import { looking, preferHeader, preferredWaitMs } from '../prefer-wait'
import { refuseField } from '../problem'
import type { Answer, Ctx } from '../route'
import { draftAnswer, laterBody, linkBody } from '../schemas/draft'
import { uuid } from '../schemas/fields'
import { heldDraft, shown } from './drafts'

const params = z.strictObject({ draftId: uuid })

/** Locked, whole, and with something to pay. @throws `draft.state`, `draft.incomplete`, `draft.quote_expired`, `draft.nothing_to_pay` */
async function toBePaid(ctx: Pick<Ctx, 'key'> & { params: { draftId: string } }, tx: Transaction): Promise<DraftRow & { amountMinor: number }> {
  const draft = await heldDraft(ctx, tx, ctx.params.draftId)
  await refuseState(tx, draft, draft.state === 'open' || draft.state === 'quoted')
  refuseIncomplete(draft)
  refuseExpired(draft)
  const { totalMinor: amountMinor } = draftTotals(asQuoted(draft.document, draft.quote))
  if (amountMinor === 0) throw refuse('draft.nothing_to_pay')
  return { ...draft, amountMinor }
}

/** While it is waited for, what was quoted has to hold. @throws `request.invalid` */
function refuseInstant(pointer: string, instant: string, { validUntil }: DraftRow, bounds: { fromMs: number; toMs?: number }): void {
  const ahead = Date.parse(instant) - Date.now()
  if (ahead < bounds.fromMs || ahead > (bounds.toMs ?? Number.POSITIVE_INFINITY)) throw refuseField(pointer, bounds.toMs === undefined ? 'Must lie ahead' : 'Must be from half an hour to a day ahead')
  if (validUntil !== null && instant > validUntil) throw refuseField(pointer, `The quote holds until ${validUntil}`)
}

const minuteMs = 60_000
/** As the provider gives them. */
const linkLives = { fromMs: 31 * minuteMs, toMs: 24 * 60 * minuteMs - minuteMs }

const askByLink = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/payment-link',
  tag: 'Drafts',
  summary: 'Have the customer pay at an address of the payment provider',
  description: 'The provider is asked for it by itself: wait for it (`Prefer: wait=10`), or read the draft until `paymentLink.url` is there. When she has paid, the draft becomes an order; until then nobody places it by hand. One link at a time: cancel it, or wait for its end, before another is made.',
  roles: may.placeOrders,
  params,
  headers: preferHeader,
  body: linkBody,
  answers: { 200: draftAnswer },
  async run(ctx, tx) {
    const draft = await toBePaid(ctx, tx)
    const { expiresAt, atPayBy } = ctx.body
    refuseInstant('/expiresAt', expiresAt, draft, linkLives)
    const returnTo = ctx.body.returnTo ?? (await channelOfDraft(tx, draft.channel))?.orderPageUrl?.replace('{channelOrderId}', encodeURIComponent(draft.document.channelOrderId ?? draftNumber(draft.number)))
    if (!returnTo) throw refuse('channel.no_order_page', { channel: draft.channel })
    await intendLink(tx, { draftId: draft.draftId, amountMinor: draft.amountMinor, currency: draft.currency, expiresAt, returnTo, actor: ctx.actor })
    return shown(tx, await awaitPayment(tx, draft, { payBy: expiresAt, atPayBy }))
  },
  after: (ctx) => oncePutToProvider(ctx),
})

const askForLater = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/pay-later',
  tag: 'Drafts',
  summary: 'Wait for money that comes another way: on an invoice, by transfer, at the counter',
  description: 'It becomes an order with `paid`. When nobody has paid by then, the draft can be worked on again or is thrown away, as `atPayBy` says.',
  roles: may.placeOrders,
  params,
  body: laterBody,
  answers: { 200: draftAnswer },
  async run(ctx, tx) {
    const draft = await toBePaid(ctx, tx)
    refuseInstant('/payBy', ctx.body.payBy, draft, { fromMs: 1 })
    return shown(tx, await awaitPayment(tx, draft, ctx.body))
  },
})

const cancelPayment = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/cancel-payment',
  tag: 'Drafts',
  summary: 'Wait for this money no more',
  description: 'A link is ended at the provider first (`paymentLink.status` is `ending` until it has said so): if the customer has paid meanwhile, the draft becomes an order after all.',
  roles: may.placeOrders,
  params,
  headers: preferHeader,
  body: z.strictObject({}),
  answers: { 200: draftAnswer },
  async run(ctx, tx) {
    const draft = await heldDraft(ctx, tx, ctx.params.draftId)
    await refuseState(tx, draft, draft.state === 'awaiting_payment')
    const link = await endLink(tx, draft.draftId)
    return shown(tx, link ? draft : await reopenDraft(tx, draft))
  },
  after: (ctx) => oncePutToProvider(ctx),
})

/** Whoever wants to waits until the provider has answered. What is kept of the command is what it said at once: no address to pay at. */
async function oncePutToProvider(ctx: Pick<Ctx, 'db' | 'header'> & { params: { draftId: string } }): Promise<Answer | void> {
  const waitMs = preferredWaitMs(ctx.header('prefer'))
  if (waitMs === 0) return
  const { draftId } = ctx.params
  await looking(() => linkOfDraft(ctx.db, draftId), (link) => link === undefined || (link.status !== 'intended' && link.status !== 'ending'), waitMs)
  const { headers, ...answer } = await shown(ctx.db, (await findDraft(ctx.db, draftId))!)
  return { ...answer, headers: { ...headers, 'Preference-Applied': `wait=${waitMs / 1000}` } }
}

export const draftPaymentRoutes = [askByLink, askForLater, cancelPayment]
