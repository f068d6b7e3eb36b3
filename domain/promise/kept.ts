/** What is kept of a promise with its order: what was told, by when each part must have come how far, and what was predicted, to be judged by what then happens. */
import type { NodeCalendar } from './calendar'
import { scoreOf, type Score } from './conformal'
import type { LocalDay } from './days'
import { milestonesOf, type GuardSettings } from './milestones'
import { isObstacle } from './obstacle'
import type { DatePromise } from './promise'

/** What the customer was told, and the retailer is held to. Instants are ISO 8601. */
export interface ToldPromise {
  promisedFrom: string
  promisedBy: string
  confidence: number
}
export interface OrderPromise extends ToldPromise {
  /** By node; none where its calendar does not allow it. */
  milestones: Readonly<Record<string, PartMilestones>>
  /** Of orders in one part: the carrier's distribution over days, before it was corrected. */
  predicted?: Predicted
  /** The same by node, of orders in several parts and of what was sourced again. */
  parts?: Readonly<Record<string, Predicted>>
  /** What was told first, where a new date had to be told since. */
  first?: ToldPromise
}
export interface Predicted {
  carrier: string
  service: string
  firstDay: LocalDay
  upTo: readonly number[]
}
/** The instants of `Milestones`, ISO 8601. */
export interface PartMilestones {
  pickBy: string
  handOverBy: string
  scanBy: string
}

/** Of the working minutes a node takes, what is left after picking; and how long a carrier may take to its first scan. */
export const guard: GuardSettings = { packMinutes: 30, scanMinutes: 24 * 60 }

/** Probabilities are kept to four digits, and as far as they say something. */
const digits = 10_000
const certain = 0.9995

export function keptPromise(promise: DatePromise, parts: readonly { nodeId: string; calendar: NodeCalendar }[], service: string): OrderPromise {
  const predicted = promise.legs.map((leg): Predicted => ({ carrier: leg.carrier, service, firstDay: leg.arrival.firstDay, upTo: telling(leg.arrival.upTo) }))
  return {
    promisedFrom: iso(promise.promisedFrom),
    promisedBy: iso(promise.promisedBy),
    confidence: statedConfidence(promise.confidence),
    milestones: Object.fromEntries(parts.flatMap(({ nodeId, calendar }, i) => milestoneOf(nodeId, calendar, promise.legs[i]!.handOverBy, promise.promisedBy))),
    ...(predicted.length === 1 ? { predicted: predicted[0]! } : { parts: Object.fromEntries(parts.map(({ nodeId }, i) => [nodeId, predicted[i]!])) }),
  }
}

/** Where part of an order comes from another node than was promised: its milestones and what is predicted of it take their place beside the others; what was told stays. */
export const withParts = (known: OrderPromise, { milestones, predicted, parts }: OrderPromise, nodeIds: readonly string[]): OrderPromise => ({
  ...known,
  milestones: { ...known.milestones, ...milestones },
  parts: { ...known.parts, ...parts, ...(predicted && nodeIds.length === 1 && { [nodeIds[0]!]: predicted }) },
})

/** Goods more, asked for and told of: of what was told and what they can keep, the later date is promised from then on, and judged. */
export const withMore = (known: OrderPromise, can: OrderPromise, nodeIds: readonly string[]): OrderPromise => {
  const { promisedFrom, promisedBy, confidence } = can
  return { ...withParts(known, can, nodeIds), ...(promisedBy > known.promisedBy && { promisedFrom, promisedBy, confidence }) }
}

/** A new date is told because the first cannot be kept; the first stays what the promise is judged by. @returns undefined when what was told can be kept */
export function renewed(known: OrderPromise, can: OrderPromise, nodeIds: readonly string[]): OrderPromise | undefined {
  if (can.promisedBy <= known.promisedBy) return undefined
  const { promisedFrom, promisedBy, confidence } = known
  return { ...withParts(known, can, nodeIds), promisedFrom: can.promisedFrom, promisedBy: can.promisedBy, confidence: can.confidence, first: known.first ?? { promisedFrom, promisedBy, confidence } }
}

/** Of what the customer fetches: the store has put it aside by then. */
export function fetchedPromise(promise: Pick<DatePromise, 'promisedFrom' | 'promisedBy' | 'confidence'>, nodeId: string): OrderPromise {
  const promisedBy = iso(promise.promisedBy)
  return { promisedFrom: iso(promise.promisedFrom), promisedBy, confidence: statedConfidence(promise.confidence), milestones: { [nodeId]: { pickBy: promisedBy, handOverBy: promisedBy, scanBy: promisedBy } } }
}

function milestoneOf(nodeId: string, calendar: NodeCalendar, handOverBy: number, promisedBy: number): [string, PartMilestones][] {
  const found = milestonesOf(calendar, { handOverBy, promisedBy }, guard)
  return isObstacle(found) ? [] : [[nodeId, { pickBy: iso(found.pickBy), handOverBy: iso(found.handOverBy), scanBy: iso(found.scanBy) }]]
}

function telling(upTo: readonly number[]): number[] {
  const last = upTo.findIndex((p) => p >= certain)
  return upTo.slice(0, last < 0 ? upTo.length : last + 1).map((p) => Math.round(p * digits) / digits)
}

/** Where the outcome lay in what was predicted: the score that corrects what is stated next. @param deliveredDay none: it has not come. */
export const scoreOfPromise = ({ carrier, firstDay, upTo }: NonNullable<OrderPromise['predicted']>, deliveredDay: LocalDay | undefined): Score =>
  scoreOf(carrier, { upTo }, deliveredDay === undefined ? undefined : deliveredDay - firstDay)

/** Four digits, rounded down: never more is stated than is so. */
export const statedConfidence = (confidence: number): number => Math.floor(confidence * digits) / digits

const iso = (instant: number): string => new Date(instant).toISOString()
