/** A draft is quoted here: prices, what the delivery costs and a date, frozen until a time, with the stock kept for it where that is wanted. */
import { z } from 'zod'
import type { Transaction } from '../../db/connection'
import { findDraft, nextQuoteNumber, quoteDraft, type DraftRow } from '../../db/drafts'
import { nodeCountry } from '../../db/network'
import { LostRace } from '../../db/race'
import { expireDue, releaseOfQuote, reserve, type Reservation } from '../../db/reservations'
import { chosenOption } from '../../domain/draft/draft'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { command } from '../command'
import { deskAsk, quoted, type OptionsAsk } from '../delivery-options'
import { may } from '../permissions'
import { refuseIncomplete, refuseState } from '../place-draft'
import { refuseField } from '../problem'
import type { Quote, QuotedOption } from '../quotes'
import type { Ctx } from '../route'
import { draftAnswer, quoteBody } from '../schemas/draft'
import { uuid } from '../schemas/fields'
import { heldDraft, shown } from './drafts'
import { known } from './promise'

/** POST /v1/drafts/{draftId}/quote */
export const quoteDraftRoute = command({
  method: 'post',
  path: '/v1/drafts/{draftId}/quote',
  tag: 'Drafts',
  summary: 'Freeze prices and a date until a time, and keep the stock where that is wanted',
  description: 'By the same promise as a checkout gets. Quoted again, the quote before holds no more. Past its time it is refused with `draft.quote_expired`, and the draft can be quoted anew.',
  roles: may.placeOrders,
  params: z.strictObject({ draftId: uuid }),
  body: quoteBody,
  answers: { 200: draftAnswer },
  keepRefusals: false,
  async prepare(ctx) {
    if (ctx.body.validUntil <= new Date().toISOString()) throw refuseField('/validUntil', 'Must lie ahead')
    const draft = await findDraft(ctx.db, ctx.params.draftId)
    if (!draft || !reachesChannel(ctx.key, draft.channel)) throw refuse('draft.unknown')
    await refuseState(ctx.db, draft, draft.state === 'open' || draft.state === 'quoted')
    refuseIncomplete(draft)
    // What has expired refuses nobody.
    if (draft.quote?.reservation && draft.quote.reservation.expiresAt <= new Date().toISOString()) await ctx.db.transaction((tx) => expireDue(tx, 1_000, draft.document.lines.map((l) => l.sku)))
    return { version: draft.version, ...(await promised(ctx, draft)) }
  },
  async run(ctx, tx, { version, option, ask }) {
    const draft = await heldDraft(ctx, tx, ctx.params.draftId)
    if (draft.version !== version) throw refuse('request.version_mismatch', { version: draft.version })
    const validUntil = new Date(Math.ceil(Date.parse(ctx.body.validUntil) / 1_000) * 1_000)
    const token = await ctx.deps.quotes.give({ ...ask, options: [option] }, validUntil)
    const quote = await ctx.deps.quotes.read(token)
    await letGoOfStock(tx, draft, quote, ctx.actor)
    const held = ctx.body.hold ? await keepStock(tx, quote, option, { expiresAt: validUntil.toISOString(), actor: ctx.actor }) : undefined
    const { shipments: _, ...said } = option
    const written = await quoteDraft(tx, draft, {
      quote: { ...said, number: await nextQuoteNumber(tx), token, quoteId: quote.id, ...(held && { reservation: { reservationId: held.reservationId, expiresAt: held.expiresAt } }), givenBy: ctx.actor, givenAt: new Date().toISOString() },
      validUntil: validUntil.toISOString(),
    })
    return shown(tx, written)
  },
})

/** What can be promised now, at the draft's own price for shipping where it has one. @throws `draft.no_option`, `stock.short`, `sku.unknown` */
async function promised(ctx: Pick<Ctx, 'deps' | 'db'> & { body: z.output<typeof quoteBody> }, { document, quote }: DraftRow): Promise<{ option: QuotedOption; ask: OptionsAsk }> {
  const { channel, currency, shipTo, lines } = document
  const delivery = document.delivery!
  const country = delivery.nodeId === undefined ? undefined : await nodeCountry(ctx.db, delivery.nodeId)
  if (delivery.nodeId !== undefined && country === undefined) throw refuse('node.unknown', { nodeId: delivery.nodeId }, undefined, [{ pointer: '/delivery/nodeId', message: `No node ${delivery.nodeId}` }])
  const { latitude, longitude, postalCode = '' } = shipTo ?? {}
  const ask: OptionsAsk = {
    channel,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    destination: { country: shipTo?.country ?? country!, postalCode, ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }) },
    ...(delivery.nodeId !== undefined && { sourceNodeId: delivery.nodeId }),
  }
  await known(ctx.deps, { channel, currency, lines: [...ask.lines] })
  const answer = await ctx.deps.promises.options(deskAsk(ask), Date.now())
  const options = answer.options.map(quoted)
  const option = chosenOption(options, delivery, ctx.body.optionId) ?? chosenOption(await keptFor(ctx.deps, quote), delivery, ctx.body.optionId)
  if (option) return { option: { ...option, priceMinor: document.shipping?.priceMinor ?? option.priceMinor }, ask }
  if (options.length === 0 && answer.short.length) throw refuse('stock.short', { short: answer.short.map(({ sku, wanted, available }) => ({ sku, wanted, available })) })
  throw refuse('draft.no_option', { options: options.map(({ shipments: _, ...said }) => said), withheld: answer.without.map(({ service, why }) => ({ service, code: why.obstacle, reason: why.says })) })
}

/** What is kept for the quote before is taken by nobody else, so it can be quoted again as it was. */
const keptFor = async ({ quotes }: Pick<Ctx['deps'], 'quotes'>, quote: DraftRow['quote']): Promise<QuotedOption[]> =>
  quote?.reservation && quote.reservation.expiresAt > new Date().toISOString() ? [...(await quotes.read(quote.token)).options] : []

/** All levels concerned are locked in one order first, those of the quote before among them. */
async function letGoOfStock(tx: Transaction, { quote, document }: DraftRow, next: Quote, actor: string): Promise<void> {
  const skus = next.options.flatMap((o) => o.shipments.flatMap((s) => s.lines.map((l) => l.sku)))
  await expireDue(tx, 1_000, [...new Set([...skus, ...document.lines.map((l) => l.sku)])])
  if (quote) await releaseOfQuote(tx, quote.quoteId, actor)
}

/** @throws `quote.gone` when somebody was quicker */
async function keepStock(tx: Transaction, quote: Quote, option: QuotedOption, { expiresAt, actor }: { expiresAt: string; actor: string }): Promise<Reservation> {
  const lines = option.shipments.flatMap(({ nodeId, lines: units }) => units.map(({ sku, quantity }) => ({ sku, nodeId, quantity })))
  try {
    return await reserve(tx, { quoteId: quote.id, channel: quote.channel, lines, expiresAt, actor })
  } catch (cause) {
    if (cause instanceof LostRace) throw refuse('quote.gone')
    throw cause
  }
}
