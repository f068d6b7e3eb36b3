/** Dates and prices before the sale. */
import { z } from 'zod'
import { policiesOfChannel } from '../../db/channel-policies'
import { LostRace } from '../../db/race'
import { expireDue, findReservation, giveReservationBack, reserve, type Reservation } from '../../db/reservations'
import { inTurn } from '../../db/turns'
import { promisesDue } from '../../db/views/promise'
import { calibrationReport } from '../../domain/promise/calibration'
import { dayMs } from '../../domain/promise/days'
import { durationMs } from '../../domain/policy/duration'
import { Refusal, refuse } from '../../domain/refusals'
import { giveOptions, optionsInstead } from '../delivery-options'
import { reachesChannel, requireChannel } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { reliabilityDiagram } from '../reliability-diagram'
import { created, ok, route, stream, type Ctx, type Route } from '../route'
import { instant, text, uuid } from '../schemas/fields'
import { optionsAnswer, optionsBody, calibrationAnswer, reservationAnswer, type OptionsBody } from '../schemas/promise'
import type { Quote } from '../quotes'
import type { RouteDeps } from '../deps'

const deliveryOptions = route({
  method: 'post',
  path: '/v1/delivery-options',
  tag: 'Promise',
  summary: 'What a customer can choose from: price, date and the confidence of that date',
  description: 'Stock and work ahead are at most a second old. The quote is a signed token and books nothing; hold it, or name it in an order.',
  roles: may.quote,
  body: optionsBody,
  answers: { 200: optionsAnswer },
  async run(ctx) {
    requireChannel(ctx.key, ctx.body.channel, '/channel')
    await known(ctx.deps, ctx.body)
    const { currency: _, ...ask } = ctx.body
    return ok(await giveOptions(ctx.deps, ask, Date.now()))
  },
})

/** @throws `channel.unknown`, `currency.not_accepted`, `sku.unknown` */
export async function known({ promises }: RouteDeps, { channel, currency, lines }: Pick<OptionsBody, 'channel' | 'lines'> & { currency: string }): Promise<void> {
  const sells = await promises.channel(channel)
  if (!sells) throw refuse('channel.unknown', { channel }, undefined, [{ pointer: '/channel', message: `No channel ${channel}` }])
  if (sells.currency !== currency) {
    const message = `The channel sells in ${sells.currency}, not in ${currency}`
    throw refuse('currency.not_accepted', { currency, accepts: sells.currency }, message, [{ pointer: '/currency', message }])
  }
  const unknown = new Set(await promises.unknown(lines.map((l) => l.sku)))
  const errors = lines.flatMap(({ sku }, i) => (unknown.has(sku) ? [{ pointer: `/lines/${i}/sku`, message: `No SKU ${sku}` }] : []))
  if (errors.length) throw refuse('sku.unknown', { sku: [...unknown][0]! }, undefined, errors)
}

/** Named in the path: none of ours is none at all, and one of another channel neither. @throws `quote.not_found`, `quote.expired` */
async function quoteOf({ deps, key }: Pick<Ctx, 'deps' | 'key'>, quoteId: string): Promise<Quote> {
  const quote = await deps.quotes.read(quoteId).catch((cause: unknown) => Promise.reject(cause instanceof Refusal && cause.code === 'quote.unknown' ? refuse('quote.not_found') : (cause as Error)))
  if (!reachesChannel(key, quote.channel)) throw refuse('quote.not_found')
  return quote
}

const hold = (mode: 'first' | 'again'): Route =>
  command({
    method: 'post',
    path: '/v1/quotes/{quoteId}/hold',
    tag: 'Promise',
    summary: 'Holds the stock of a quoted option for a while',
    description: 'Holding again gives the same reservation. An order that names the quote takes it over; else it expires by itself.',
    roles: may.quote,
    params: z.object({ quoteId: z.string() }),
    body: z.strictObject({ optionId: text(200) }),
    answers: { 201: reservationAnswer },
    keepRefusals: false,
    async prepare(ctx) {
      const quote = await quoteOf(ctx, ctx.params.quoteId)
      const option = quote.options.find((o) => o.optionId === ctx.body.optionId)
      if (!option) throw refuse('quote.mismatch', {}, undefined, [{ pointer: '/optionId', message: `The quote has no option ${ctx.body.optionId}` }])
      return { quote, option }
    },
    async run(ctx, tx, { quote, option }) {
      const { promise } = await policiesOfChannel(tx, quote.channel)
      const expiresAt = new Date(Date.now() + durationMs(promise.holdLifetime)).toISOString()
      const lines = option.shipments.flatMap(({ nodeId, lines: units }) => units.map(({ sku, quantity }) => ({ sku, nodeId, quantity })))
      if (mode === 'again') await expireDue(tx, 1_000, lines.map((l) => l.sku))
      const reservation = await reserve(tx, { quoteId: quote.id, channel: quote.channel, lines, expiresAt, actor: ctx.actor })
      if (reservation.status !== 'open' || reservation.expiresAt <= new Date().toISOString()) throw refuse('reservation.ended', { state: endState(reservation) })
      return created({ reservationId: reservation.reservationId, expiresAt: reservation.expiresAt }, `/v1/reservations/${reservation.reservationId}`)
    },
  })

const endState = ({ status }: Reservation): string => (status === 'open' ? 'expired' : status)

const holds = { first: hold('first'), again: hold('again') }

/** POST /v1/quotes/{quoteId}/hold: once more after what has expired was given back; then what was quoted is gone. */
const holdQuote: Route = {
  ...holds.first,
  async run(ctx, req, res) {
    const hot = (await quoteOf(ctx, (ctx.params as { quoteId: string }).quoteId)).lines.map((l) => l.sku).sort()[0]!
    try {
      return await inTurn(hot, () => holds.first.run(ctx, req, res)).catch((cause: unknown) => (cause instanceof LostRace ? holds.again.run(ctx, req, res) : Promise.reject(cause as Error)))
    } catch (cause) {
      if (!(cause instanceof LostRace)) throw cause
      throw refuse('quote.gone', { instead: await optionsInstead(ctx.deps, (ctx.params as { quoteId: string }).quoteId, Date.now()) })
    }
  },
}

const release = route({
  method: 'delete',
  path: '/v1/reservations/{reservationId}',
  tag: 'Promise',
  summary: 'Gives a hold back before it expires',
  description: 'Giving back what has ended already changes nothing; one that became an order is not given back.',
  roles: may.quote,
  params: z.object({ reservationId: uuid }),
  answers: { 200: reservationAnswer },
  async run(ctx) {
    const { reservationId } = ctx.params
    const found = await findReservation(ctx.db, reservationId)
    if (!found || !reachesChannel(ctx.key, found.channel)) throw refuse('reservation.unknown')
    await ctx.db.transaction((tx) => giveReservationBack(tx, reservationId, { actor: ctx.actor, cause: `request:${ctx.requestId}` }))
    const ended = (await findReservation(ctx.db, reservationId))!
    if (ended.status === 'taken') throw refuse('reservation.ended', { state: 'taken' })
    return ok({ reservationId, expiresAt: ended.expiresAt, status: ended.status })
  },
})

const period = z.strictObject({ placedFrom: instant.optional(), placedTo: instant.optional() })

const calibration = route({
  method: 'get',
  path: '/v1/promise/calibration',
  tag: 'Promise',
  summary: 'Whether what was stated was true: the share of promises kept, by stated confidence and by carrier',
  description: 'A reliability diagram in numbers, over orders placed in the period whose promised time has passed. A row is judged from 2,000 promises on: within 2 points overall, 3 per carrier.',
  roles: may.readNetwork,
  query: period,
  answers: { 200: calibrationAnswer },
  async run(ctx) {
    const { from, to } = periodOf(ctx.query)
    return ok({ placedFrom: from, placedTo: to, ...calibrationReport(await promisesDue(ctx.db, { from, to })) })
  },
})

/** The year up to now, unless asked for another. */
function periodOf({ placedFrom, placedTo }: z.output<typeof period>): { from: string; to: string } {
  const to = placedTo ?? new Date().toISOString()
  return { from: placedFrom ?? new Date(Date.parse(to) - 365 * dayMs).toISOString(), to }
}

const diagram = stream({
  method: 'get',
  path: '/v1/promise/calibration.svg',
  tag: 'Promise',
  summary: 'The same as a picture: the reliability diagram',
  roles: may.readNetwork,
  query: period,
  answers: { 200: z.string().meta({ description: 'image/svg+xml' }) },
  async open(ctx, _req, res) {
    res.type('image/svg+xml').send(reliabilityDiagram(calibrationReport(await promisesDue(ctx.db, periodOf(ctx.query)))))
  },
})

export const promiseRoutes = [deliveryOptions, holdQuote, release, calibration, diagram]
