/** Drafts are written down here, looked at, changed under the version that was read, and thrown away. */
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { writeAudit } from '../../db/audit'
import type { Db, Transaction } from '../../db/connection'
import { linkOfDraft } from '../../db/draft-links'
import { channelOfDraft, discardDraft, findDraft, insertDraft, lockDraft, rewriteDraft, type DraftRow } from '../../db/drafts'
import { eraseDraft } from '../../db/erasure/erase'
import { draftList, draftView } from '../../db/views/drafts'
import { asQuoted, mayBecome, quotedParts, shownStates, type Draft } from '../../domain/draft/draft'
import { draftTotals, pricingProblems } from '../../domain/draft/totals'
import { refuse } from '../../domain/refusals'
import { reachesChannel, requireChannel, visibleChannels } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { refuseState } from '../place-draft'
import { refuseField, refuseSchema } from '../problem'
import { created, ok, route, type Answer, type Ctx } from '../route'
import { draftAnswer, draftDocument, draftPatch, draftSummary, newDraft, type NewDraftBody } from '../schemas/draft'
import { channelId, text, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { mergePatch } from './quarantine'

const params = z.strictObject({ draftId: uuid })

/** The draft, locked. Unknown and out of reach are the same. @throws `draft.unknown` */
export async function heldDraft(ctx: Pick<Ctx, 'key'>, tx: Transaction, draftId: string): Promise<DraftRow> {
  const draft = await lockDraft(tx, draftId)
  if (!draft || !reachesChannel(ctx.key, draft.channel)) throw refuse('draft.unknown')
  return draft
}

/** The draft as it is shown, under its version. */
export const shown = async (db: Db | Transaction, draft: DraftRow): Promise<Answer> => ok(draftView(draft, await linkOfDraft(db, draft.draftId), new Date().toISOString()), { ETag: `"${draft.version}"` })

const createDraft = command({
  method: 'post',
  path: '/v1/drafts',
  tag: 'Drafts',
  summary: 'Write an order down that is not one yet',
  description: 'By support or an associate on the phone or at the counter, or by a channel of kind phone. Whatever is not known yet may be missing; what it comes to is worked out from prices, discounts and rates of tax. Nothing is claimed.',
  roles: may.placeOrders,
  body: newDraft,
  answers: { 201: draftAnswer },
  async prepare({ key, body }) {
    requireChannel(key, body.channel, '/channel')
  },
  async run(ctx, tx) {
    const { document, totalMinor, kind } = await priced(tx, ctx.body)
    if (ctx.key.role === 'channel' && kind !== 'phone') throw refuse('draft.not_offered', { channel: document.channel, kind })
    const draft = await insertDraft(tx, { document, totalMinor, secret: ctx.deps.config.CUSTOMER_REF_SECRET, actor: ctx.actor })
    const { body, headers } = await shown(tx, draft)
    return { ...created(body), headers: { ...headers, Location: `/v1/drafts/${draft.draftId}` } }
  },
})

/** What it comes to, in the currency of its channel. @throws `channel.unknown`, `currency.not_accepted`, `order.lines_repeated`, `order.totals` */
async function priced(tx: Transaction, body: NewDraftBody): Promise<{ document: Draft; totalMinor: number; kind: string }> {
  const channel = await channelOfDraft(tx, body.channel)
  if (!channel) throw refuse('channel.unknown', { channel: body.channel }, undefined, [{ pointer: '/channel', message: `No channel ${body.channel}` }])
  const { currency = channel.currency } = body
  if (currency !== channel.currency) throw refuse('currency.not_accepted', { currency, accepts: channel.currency }, undefined, [{ pointer: '/currency', message: `The channel sells in ${channel.currency}` }])
  const repeated = body.lines.findIndex((line, i) => body.lines.findIndex((other) => other.lineId === line.lineId) < i)
  if (repeated >= 0) throw refuse('order.lines_repeated', { lineId: body.lines[repeated]!.lineId }, undefined, [{ pointer: `/lines/${repeated}/lineId`, message: 'This line id is used twice' }])
  const problems = pricingProblems(body)
  if (problems.length) throw refuse('order.totals', {}, undefined, problems)
  return { document: { ...body, currency }, totalMinor: draftTotals(body).totalMinor, kind: channel.kind }
}

const getDraft = route({
  method: 'get',
  path: '/v1/drafts/{draftId}',
  tag: 'Drafts',
  summary: 'A draft: what it comes to, what it lacks, and the order it became',
  description: 'Carries an ETag, which a change of it has to name.',
  roles: may.readOrders,
  params,
  answers: { 200: draftAnswer },
  async run(ctx) {
    const draft = await findDraft(ctx.db, ctx.params.draftId)
    if (!draft || !reachesChannel(ctx.key, draft.channel)) throw refuse('draft.unknown')
    return shown(ctx.db, draft)
  },
})

const listDrafts = route({
  method: 'get',
  path: '/v1/drafts',
  tag: 'Drafts',
  summary: 'Drafts, newest first',
  roles: may.readOrders,
  query: z.strictObject({ ...paging, state: z.enum(shownStates).optional(), channel: channelId.optional() }),
  answers: { 200: listOf(draftSummary) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await draftList(ctx.db, { ...filter, before: readCursor(cursor, uuid), limit: limit + 1, channels: visibleChannels(ctx.key) }, new Date().toISOString())
    return ok(pageOf(found, limit, (draft) => draft.draftId))
  },
})

const changeDraft = route({
  method: 'patch',
  path: '/v1/drafts/{draftId}',
  tag: 'Drafts',
  summary: 'Change a draft as it was read',
  description: 'If-Match names the version; what somebody else has changed meanwhile is refused with 412. A quote holds on only while goods, prices and way stay as they were quoted.',
  roles: may.placeOrders,
  params,
  headers: z.object({ 'If-Match': z.string().meta({ description: 'The ETag of the draft as you know it' }) }),
  body: draftPatch,
  answers: { 200: draftAnswer },
  run: (ctx) =>
    ctx.db.transaction(async (tx) => {
      const draft = await heldDraft(ctx, tx, ctx.params.draftId)
      requireVersion(ctx, draft)
      await refuseState(tx, draft, draft.state === 'open' || draft.state === 'quoted')
      const read = draftDocument.safeParse(mergePatch(draft.document, ctx.body))
      if (!read.success) throw refuseSchema(read.error, 'body')
      const { document } = await priced(tx, read.data)
      const keepsQuote = draft.quote !== null && canonicalize(quotedParts(document)) === canonicalize(quotedParts(draft.document))
      const { totalMinor } = draftTotals(asQuoted(document, keepsQuote ? draft.quote : null))
      const written = await rewriteDraft(tx, draft, { document, totalMinor, secret: ctx.deps.config.CUSTOMER_REF_SECRET, keepsQuote, actor: ctx.actor })
      await writeAudit(tx, { actor: ctx.actor, action: 'draft.change', subject: draft.draftId, cause: `request:${ctx.requestId}` })
      return shown(tx, written)
    }),
})

/** @throws `request.version_needed`, `request.version_mismatch` */
function requireVersion(ctx: Pick<Ctx, 'header'>, { version }: DraftRow): void {
  const given = ctx.header('if-match')?.trim()
  if (given === undefined) throw refuse('request.version_needed', { version })
  if (!/^(W\/)?"[^"]*"$/.test(given)) throw refuseField('/headers/If-Match', 'Must be the ETag of the draft, in double quotes')
  if (given !== `"${version}"`) throw refuse('request.version_mismatch', { version })
}

const discard = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/discard',
  tag: 'Drafts',
  summary: 'Throw a draft away',
  description: 'It stays to be looked at, and becomes no order any more.',
  roles: may.placeOrders,
  params,
  body: z.strictObject({ reason: text(500) }),
  answers: { 200: draftAnswer },
  async run(ctx, tx) {
    const draft = await heldDraft(ctx, tx, ctx.params.draftId)
    await refuseState(tx, draft, draft.state !== 'awaiting_payment' && mayBecome(draft.state, 'discarded'))
    return shown(tx, await discardDraft(tx, draft, { actor: ctx.actor, reason: ctx.body.reason }))
  },
})

const copy = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/copy',
  tag: 'Drafts',
  summary: 'Write the same down again',
  description: 'As the draft stands, under a number of its own: for a customer who orders the same again, or whose card was declined.',
  roles: may.placeOrders,
  params,
  body: z.strictObject({}),
  answers: { 201: draftAnswer },
  async run(ctx, tx) {
    const { draftId, document: before } = await heldDraft(ctx, tx, ctx.params.draftId)
    const { channelOrderId: _, ...document } = before
    const made = await insertDraft(tx, { document, totalMinor: draftTotals(document).totalMinor, secret: ctx.deps.config.CUSTOMER_REF_SECRET, actor: ctx.actor })
    await writeAudit(tx, { actor: ctx.actor, action: 'draft.create', subject: made.draftId, cause: `draft:${draftId}` })
    const { body, headers } = await shown(tx, made)
    return { ...created(body), headers: { ...headers, Location: `/v1/drafts/${made.draftId}` } }
  },
})

const erase = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/erase',
  tag: 'Drafts',
  summary: 'Forget whom a draft was for',
  description: 'For drafts of customers without a number of their own; `POST /v1/customers/{customerRef}/erase` takes her drafts along. One that is not placed is thrown away; one that waits for its money is erased when that has ended. What became an order is erased with the order.',
  roles: may.eraseCustomers,
  params,
  body: z.strictObject({}),
  answers: { 200: draftAnswer },
  async run(ctx, tx) {
    const draft = await heldDraft(ctx, tx, ctx.params.draftId)
    await refuseState(tx, draft, draft.state !== 'placed')
    await eraseDraft(tx, draft, ctx.actor)
    await writeAudit(tx, { actor: ctx.actor, action: 'draft.erase', subject: draft.draftId, cause: `request:${ctx.requestId}` })
    return shown(tx, (await findDraft(tx, draft.draftId))!)
  },
})

export const draftRoutes = [createDraft, listDrafts, getDraft, changeDraft, copy]
export const endDraftRoutes = [discard, erase]
