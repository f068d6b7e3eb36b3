/** From a question to options with their quote, and from a quote back to what an order may rely on. */
import { statedConfidence } from '../domain/promise/kept'
import type { DeliveryOption } from '../domain/promise/options'
import { durationMs } from '../domain/policy/duration'
import { refuse } from '../domain/refusals'
import type { DeskAsk, PromiseDesk } from '../activities/promise-desk'
import type { Quote, QuotedOption, Quotes } from './quotes'

export type OptionsAsk = Omit<Quote, 'id' | 'options'>

/** What can be chosen now, with the signed quote that holds it. */
export async function giveOptions({ promises, quotes }: { promises: PromiseDesk; quotes: Quotes }, ask: OptionsAsk, now: number): Promise<object> {
  const answer = await promises.options(deskAsk(ask), now)
  const options = answer.options.map(quoted)
  const expiresAt = new Date(Math.ceil((now + durationMs(answer.terms.promise.quoteLifetime)) / 1000) * 1000)
  const quoteId = await quotes.give({ ...ask, options }, expiresAt)
  return {
    quoteId,
    expiresAt: expiresAt.toISOString(),
    options: options.map(({ shipments, ...option }, i) => ({ ...option, shipments: shipments.length, cutoffAt: iso(answer.options[i]!.promise.cutoffAt) })),
    unavailable: answer.short.map((s) => ({ sku: s.sku, quantity: s.wanted, available: s.available, nextSupplyAt: answer.nextSupplyAt.get(s.sku), reason: s.why ?? (s.available < s.wanted ? 'Not enough of it is available' : 'Not available together with the rest') })),
    withheld: answer.without.map(({ service, why }) => ({ service, code: why.obstacle, reason: why.says })),
  }
}

export const deskAsk = ({ channel, lines, destination: { country, postalCode, latitude, longitude }, sourceNodeId }: OptionsAsk): DeskAsk => ({
  channel,
  lines,
  soldAt: sourceNodeId,
  destination: { country, postalCode, position: latitude === undefined || longitude === undefined ? undefined : { latitude, longitude } },
})

export const quoted = ({ method, nodeId, service, shipments, priceMinor, promise }: DeliveryOption): QuotedOption => ({
  optionId: [method, ...(method === 'delivery' ? [] : [nodeId]), ...(method === 'delivery' || method === 'ship_to_store' ? [service] : [])].join(':'),
  method,
  ...(nodeId !== undefined && { nodeId }),
  service,
  priceMinor,
  promisedFrom: iso(promise.promisedFrom),
  promisedBy: iso(promise.promisedBy),
  confidence: statedConfidence(promise.confidence),
  shipments,
})

const iso = (instant: number): string => new Date(instant).toISOString()

export interface TakenUp {
  quote: Quote
  option: QuotedOption
}
export interface OrderedUnder {
  channel: string
  lines: readonly { sku: string; quantity: number }[]
  shipTo?: { country: string; postalCode?: string }
  shipping: { priceMinor: number }
}

/**
 * The option an order names, if the order is what was quoted.
 * @throws `quote.unknown`, `quote.expired`, `quote.mismatch` with every difference
 */
export async function takeUp(quotes: Quotes, { quoteId, optionId }: { quoteId: string; optionId: string }, order: OrderedUnder): Promise<TakenUp> {
  const quote = await quotes.read(quoteId)
  const option = quote.options.find((o) => o.optionId === optionId)
  const differs: [boolean, string, string][] = [
    [option === undefined, '/delivery/optionId', `The quote has no option ${optionId}`],
    [quote.channel !== order.channel, '/channel', `The quote was given to ${quote.channel}`],
    [summed(quote.lines) !== summed(order.lines), '/lines', 'The quote was for other goods'],
    [option?.method === 'delivery' && (order.shipTo === undefined || place(order.shipTo) !== place(quote.destination)), '/shipTo', `The quote was for ${place(quote.destination)}`],
    [option !== undefined && order.shipping.priceMinor !== option.priceMinor, '/shipping/priceMinor', `The quoted price is ${option?.priceMinor}`],
  ]
  const errors = differs.flatMap(([isOther, pointer, message]) => (isOther ? [{ pointer, message }] : []))
  if (errors.length) throw refuse('quote.mismatch', {}, undefined, errors)
  return { quote, option: option! }
}

const summed = (lines: OrderedUnder['lines']): string => {
  const sums = new Map<string, number>()
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  return JSON.stringify([...sums].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const place = ({ country, postalCode = '' }: { country: string; postalCode?: string }): string => `${country} ${postalCode.replace(/\s/g, '')}`

/** What can be had now instead of what was quoted. */
export async function optionsInstead(desk: { promises: PromiseDesk; quotes: Quotes }, quoteId: string, now: number): Promise<object> {
  const { channel, destination, lines, sourceNodeId } = await desk.quotes.read(quoteId)
  return giveOptions(desk, { channel, destination, lines, sourceNodeId }, now)
}
