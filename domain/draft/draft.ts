/** An order that is still being written down: whatever is missing, the states it goes through, and who decides what becomes of it. */
import type { ShipTo } from '../order/new-order'
import type { RefusalDetail } from '../refusals'
import type { PricedDraft } from './totals'

export interface Draft extends PricedDraft {
  channel: string
  /** The channel's number for the order; the draft's own where none is given. */
  channelOrderId?: string
  currency: string
  customer?: { customerRef?: string; name?: string; email?: string; phone?: string }
  shipTo?: ShipTo
  billTo?: ShipTo
  delivery?: { method: string; service?: string; nodeId?: string }
  /** Between those who work on it; the customer does not see it. */
  note?: string
  flags?: readonly string[]
  priority?: number
  claim?: 'required' | 'later'
}

export const draftStates = ['open', 'quoted', 'awaiting_payment', 'placed', 'discarded'] as const
export type DraftState = (typeof draftStates)[number]

/** What was promised for the draft as it was. */
export interface DraftQuote {
  /** What people call it: `Q-1042`. */
  number: string
  /** The signed quote of the promise, which the order takes up; and its own id. */
  token: string
  quoteId: string
  optionId: string
  method: string
  service: string
  nodeId?: string
  priceMinor: number
  promisedFrom: string
  promisedBy: string
  confidence: number
  /** The stock that is kept for it. */
  reservation?: { reservationId: string; expiresAt: string }
  givenBy: string
  givenAt: string
}

/** The document with what the delivery costs. */
export const asQuoted = (draft: Draft, quote: Pick<DraftQuote, 'priceMinor'> | null): Draft =>
  quote === null ? draft : { ...draft, shipping: { ...draft.shipping, priceMinor: draft.shipping?.priceMinor ?? quote.priceMinor } }

/** What rules that hold orders may look at: the flags it was given, and that somebody gave it another price. */
export const flagsOf = ({ flags = [], lines }: Pick<Draft, 'flags' | 'lines'>): string[] => [...new Set([...flags, ...(lines.some((l) => l.override) ? ['price_override'] : [])])]

/** Everything a quote is about: as long as none of it changes, the quote holds. */
export const quotedParts = ({ lines, discount, shipping, taxIncluded, currency, shipTo, delivery, channel }: Draft): object => ({
  lines, discount, shipping, taxIncluded, currency, delivery, channel,
  to: shipTo && { country: shipTo.country, postalCode: shipTo.postalCode, latitude: shipTo.latitude, longitude: shipTo.longitude },
})

/** What may become of a draft. A change of the document takes a quote back, and a quote given anew replaces the one before. */
export const draftMoves: Readonly<Record<DraftState, readonly DraftState[]>> = {
  open: ['quoted', 'awaiting_payment', 'placed', 'discarded'],
  quoted: ['quoted', 'open', 'awaiting_payment', 'placed', 'discarded'],
  awaiting_payment: ['open', 'quoted', 'placed', 'discarded'],
  placed: [],
  discarded: [],
}

export const mayBecome = (from: DraftState, to: DraftState): boolean => draftMoves[from].includes(to)

/** A quote that is past its time is shown as that; the row says `quoted` until somebody goes on with it. */
export const shownStates = [...draftStates, 'quote_expired'] as const
export type ShownState = (typeof shownStates)[number]

export const shownState = ({ state, validUntil }: { state: DraftState; validUntil: string | null }, now: string): ShownState =>
  state === 'quoted' && validUntil !== null && validUntil <= now ? 'quote_expired' : state

/** The last path segments of what may be done with it now. */
export function draftActions(shown: ShownState, missing: readonly RefusalDetail[], byLink: boolean): string[] {
  if (shown === 'placed' || shown === 'discarded') return ['copy']
  if (shown === 'awaiting_payment') return [...(byLink ? [] : ['paid']), 'cancel-payment', 'copy']
  const ready = missing.length === 0
  return [...(ready ? ['quote'] : []), ...(ready && shown !== 'quote_expired' ? ['place', 'payment-link', 'pay-later'] : []), 'copy', 'discard']
}

/** What an order needs and the draft has not yet, by its place in the draft; none: it can be quoted and placed. */
export function missingFrom({ lines, customer, shipTo, delivery }: Pick<Draft, 'lines' | 'customer' | 'shipTo' | 'delivery'>): RefusalDetail[] {
  const fetched = delivery !== undefined && delivery.method !== 'delivery'
  const lacks: [boolean, string, string][] = [
    [lines.length === 0, '/lines', 'Say what is ordered'],
    [delivery === undefined, '/delivery', 'Say how the customer gets it'],
    [customer === undefined && delivery?.method !== 'carry_out', '/customer', 'Say who orders'],
    [shipTo === undefined && delivery !== undefined && !fetched, '/shipTo', 'Say where it goes'],
    [fetched && delivery.nodeId === undefined, '/delivery/nodeId', 'Say in which store the customer gets it'],
  ]
  return lacks.flatMap(([isMissing, pointer, message]) => (isMissing ? [{ pointer, message }] : []))
}

/** The option that is meant, the cheapest where several are, and of those the first to arrive. */
export function chosenOption<Option extends { optionId: string; method: string; service: string; nodeId?: string; priceMinor: number; promisedBy: string }>(options: readonly Option[], { method, service, nodeId }: NonNullable<Draft['delivery']>, optionId?: string): Option | undefined {
  const fits = options.filter((o) => (optionId === undefined || o.optionId === optionId) && o.method === method && (service === undefined || o.service === service) && (nodeId === undefined || o.nodeId === nodeId))
  return fits.sort((a, b) => a.priceMinor - b.priceMinor || (a.promisedBy < b.promisedBy ? -1 : 1))[0]
}

export const quoteNumber = (number: number): string => `Q-${number}`

/** What a draft is called by people, and its order where the channel gives no number: `D-1042`. */
export const draftNumber = (number: number): string => `D-${number}`
