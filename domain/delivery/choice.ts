/**
 * Which carrier service carries the parcels of a fulfillment: the cheapest that keeps the promise with the confidence the policy asks for.
 * Every other one is kept with why it lost, so that anybody can read the decision afterwards.
 */

/** What one service offers for these parcels, from the next time its carrier collects. */
export interface Bid {
  carrier: string
  service: string
  priceMinor: number
  currency: string
  /** Probability that all is delivered by the promised day; none where there is no promise. */
  kept?: number
  /** Days from now until all is delivered with the confidence asked for; none when it is never reached. */
  withinDays?: number
}
/** A service that cannot have it, and why: the carrier does not take such a parcel, is fenced off, did not answer. */
export interface NoBid {
  carrier: string
  service: string
  why: { code: string; says: string }
}
export interface ChoiceTerms {
  /** The service that was asked for; none: any. */
  wanted?: string
  /** The least probability with which the promise must be kept. */
  confidence: number
  /** May a dearer service than the one the date was promised on be paid for when that one would come late? */
  paysForSpeed: boolean
  /** The service the date was promised on. */
  promisedOn?: string
}

export const choiceReasons = ['cheapest', 'cheapest_that_keeps', 'faster_to_keep', 'most_likely', 'cheapest_though_late'] as const
export type ChoiceReason = (typeof choiceReasons)[number]
export const lossReasons = ['dearer', 'too_late', 'not_asked_for', 'not_offered'] as const
export type LossReason = (typeof lossReasons)[number]

export interface Choice {
  chosen?: Bid & { reason: ChoiceReason }
  /** All the others, cheapest first, then those without a price. */
  others: readonly (Partial<Bid> & Pick<Bid, 'carrier' | 'service'> & { lost: LossReason; says: string })[]
  /** A dearer service was taken than the one the date was promised on, so that it is kept. */
  hurry?: { insteadOf: string; costMinor: number }
}

/** Probabilities that differ by less are the same. */
const rounding = 1e-6

/** Deterministic: the order of the bids does not matter. */
export function chooseService(bids: readonly Bid[], noBids: readonly NoBid[], terms: ChoiceTerms): Choice {
  const asked = bids.filter((b) => terms.wanted === undefined || b.service === terms.wanted).sort(byPrice)
  const chosen = best(asked, bids, terms)
  const losers = bids.filter((b) => b !== chosen?.bid).sort(byPrice)
  const others = [
    ...losers.map((b) => ({ ...b, ...whyLost(b, chosen, terms) })),
    ...noBids.map(({ why, ...b }) => ({ ...b, lost: 'not_offered' as const, says: why.says })),
  ]
  if (!chosen) return { others }
  const hurry = hurryOf(chosen.bid, bids, terms)
  return { chosen: { ...chosen.bid, reason: chosen.reason }, others, ...(hurry && { hurry }) }
}

interface Winner {
  bid: Bid
  reason: ChoiceReason
}

function best(asked: readonly Bid[], all: readonly Bid[], terms: ChoiceTerms): Winner | undefined {
  const [cheapest] = asked
  if (!cheapest) return undefined
  if (cheapest.kept === undefined) return { bid: cheapest, reason: 'cheapest' }
  const keeping = asked.find((b) => keeps(b, terms))
  if (keeping) return { bid: keeping, reason: 'cheapest_that_keeps' }
  if (!terms.paysForSpeed) return { bid: cheapest, reason: 'cheapest_though_late' }
  const faster = [...all].sort(byPrice).find((b) => keeps(b, terms))
  if (faster) return { bid: faster, reason: 'faster_to_keep' }
  return { bid: [...all].sort(byLikelihood)[0]!, reason: 'most_likely' }
}

const keeps = (bid: Bid, { confidence }: ChoiceTerms): boolean => bid.kept === undefined || bid.kept >= confidence - rounding

function whyLost(bid: Bid, winner: Winner | undefined, terms: ChoiceTerms): { lost: LossReason; says: string } {
  if (winner?.bid.kept !== undefined && !keeps(bid, terms) && winner.reason !== 'cheapest_though_late')
    return { lost: 'too_late', says: `keeps the promise with ${percent(bid.kept ?? 0)}, ${percent(terms.confidence)} are asked for` }
  if (terms.wanted !== undefined && bid.service !== terms.wanted) return { lost: 'not_asked_for', says: `${terms.wanted} was asked for` }
  if (!winner) return { lost: 'not_asked_for', says: 'nothing was chosen' }
  const moreMinor = bid.priceMinor - winner.bid.priceMinor
  return { lost: 'dearer', says: moreMinor === 0 ? 'costs the same and is no faster' : `costs ${moreMinor} more in minor units` }
}

function hurryOf(chosen: Bid, bids: readonly Bid[], terms: ChoiceTerms): Choice['hurry'] {
  const usual = [...bids].sort(byPrice).find((b) => b.service === (terms.promisedOn ?? terms.wanted))
  if (!usual || chosen.service === usual.service || keeps(usual, terms) || chosen.priceMinor <= usual.priceMinor) return undefined
  return { insteadOf: usual.service, costMinor: chosen.priceMinor - usual.priceMinor }
}

const byPrice = (a: Bid, b: Bid): number => a.priceMinor - b.priceMinor || bySpeed(a, b) || byName(a, b)
const byLikelihood = (a: Bid, b: Bid): number => (b.kept ?? 0) - (a.kept ?? 0) || bySpeed(a, b) || a.priceMinor - b.priceMinor || byName(a, b)
const bySpeed = (a: Bid, b: Bid): number => (a.withinDays ?? 1e9) - (b.withinDays ?? 1e9)
const byName = (a: Bid, b: Bid): number => order(a.carrier, b.carrier) || order(a.service, b.service)
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** One decimal, never rounded up: 89.99 is not said to be 90. */
const percent = (share: number): string => `${Math.floor(share * 1000 + rounding) / 10} %`
