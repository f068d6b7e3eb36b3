/**
 * A year of a retailer's parcels, made up but not flattered: three carriers with heavy tails and a busy December, five regions, two nodes that are late in
 * their own way, Sundays without delivery. Whoever promises dates here is judged by what then happens.
 */
import { arrivalOf, type Leg } from '../../../domain/promise/arrival'
import { openCalendar, type NodeCalendar } from '../../../domain/promise/calendar'
import type { PastPromise } from '../../../domain/promise/calibration'
import { openCarrierDays, transitDays, type CarrierDays } from '../../../domain/promise/carrier-days'
import { learnCorrection, scoreOf, uncorrected, type Correction, type Score } from '../../../domain/promise/conformal'
import { dayMs, minuteMs, weekdays, type Instant, type LocalDay } from '../../../domain/promise/days'
import { declaredLead, learnLeadTimes, type LeadTimes, type Prepared } from '../../../domain/promise/lead-time'
import { isObstacle } from '../../../domain/promise/obstacle'
import { promiseDelivery } from '../../../domain/promise/promise'
import { learnTransit, type HandedOver, type TransitModel } from '../../../domain/promise/transit'
import { addWorkingMinutes, daysWork, nextPickup } from '../../../domain/promise/working-time'
import { dice } from '../sourcing/problems'

const berlin = 'Europe/Berlin'
const hours = { opens: '08:00', closes: '18:00' }
const workdays = weekdays.slice(0, 6)
const must = <T extends object>(value: T): Exclude<T, { obstacle: unknown }> => {
  if (isObstacle(value)) throw new Error(value.says)
  return value as Exclude<T, { obstacle: unknown }>
}
const carriers = ['swift', 'steady', 'budget'] as const
const regions = ['DE-10', 'DE-20', 'DE-50', 'DE-80', 'AT-10'] as const
const nodes = ['dc', 'store'] as const
const service = 'standard'
const declaredDays = { swift: 1, steady: 2, budget: 3 }
const declaredMinutes = { dc: 90, store: 180 }

const calendar: NodeCalendar = must(
  openCalendar({
    timeZone: berlin,
    weekly: Object.fromEntries(workdays.map((d) => [d, hours])),
    cutoffs: { [service]: '15:00' },
    pickups: Object.fromEntries(carriers.map((c) => [c, ['12:00', '18:00']])),
  }),
)
export const carrierDays: CarrierDays = must(openCarrierDays({ timeZone: berlin, deliversOn: workdays, hours: { opens: '08:00', closes: '20:00' } }))

export interface Parcel {
  placedAt: Instant
  day: LocalDay
  carrier: (typeof carriers)[number]
  region: string
  node: (typeof nodes)[number]
  workMinutes: number
  handedOverAt: Instant
  deliveredDay: LocalDay
}

export const firstDay: LocalDay = Math.floor(Date.UTC(2025, 0, 6) / dayMs)
const days = 360

/** Every parcel of the year, in the order they were placed. */
export function playYear(seed: number, perDay = 80): Parcel[] {
  const roll = dice(seed)
  const unit = (): number => (roll(1_000_000) + 0.5) / 1_000_000
  const parcels: Parcel[] = []
  for (let d = 0; d < days; d += 1)
    for (let i = 0; i < perDay; i += 1) parcels.push(parcel(firstDay + d, unit, roll))
  return parcels.sort((a, b) => a.placedAt - b.placedAt)
}

function parcel(day: LocalDay, unit: () => number, roll: (below: number) => number): Parcel {
  const [carrier, region, node] = [carriers[roll(3)]!, regions[roll(5)]!, nodes[roll(2)]!]
  const placedAt = day * dayMs + Math.floor(unit() * 24 * 60) * minuteMs
  const { from } = must(daysWork(calendar, service, placedAt))
  const workMinutes = 15 + Math.exp(Math.log(declaredMinutes[node] * 0.6) + (node === 'store' ? 0.7 : 0.4) * normal(unit))
  const handedOverAt = nextPickup(calendar, carrier, addWorkingMinutes(calendar, from, workMinutes)!)!
  const sent = calendar.zone.dayOf(handedOverAt)
  let deliveredDay = sent
  for (let left = transit(carrier, region, day, unit); left > 0; ) if (carrierDays.delivers((deliveredDay += 1))) left -= 1
  return { placedAt, day, carrier, region, node, workMinutes, handedOverAt, deliveredDay }
}

/** Delivery days: the carrier's own, more to the far regions, more in December, and now and then very many. */
function transit(carrier: Parcel['carrier'], region: string, day: LocalDay, unit: () => number): number {
  const [usual, slack, tail] = { swift: [1, 0.15, 0.02], steady: [2, 0.25, 0.03], budget: [2, 0.6, 0.06] }[carrier] as [number, number, number]
  const far = region === 'AT-10' ? 1 : region === 'DE-80' ? 0.3 : 0
  const season = new Date(day * dayMs).getUTCMonth() === 11 ? 0.25 : 0
  let took = usual
  for (const chance of [slack + far + season - 1, slack + far + season, slack * 0.5, season]) if (unit() < chance) took += 1
  return unit() < tail ? took + 2 + Math.floor(-3 * Math.log(unit())) : took
}

const normal = (unit: () => number): number => Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit())

/** Deliberate mistakes, which the check must notice. */
export interface Mistakes {
  withoutCorrection?: boolean
  /** Sundays are promised as delivery days. */
  sundays?: boolean
  /** Carriers are believed to take what they declare. */
  carriersAreBelieved?: boolean
}

const refitDays = 30
const heldOutFrom = 240

/** Promises made in the last third of the year, each with what was known on its day, and whether they were kept. */
export function judgeYear(parcels: readonly Parcel[], confidence: number, mistakes: Mistakes = {}): PastPromise[] {
  const told: PastPromise[] = []
  const promised: CarrierDays = mistakes.sundays ? must(openCarrierDays({ timeZone: berlin, deliversOn: weekdays, hours: { opens: '08:00', closes: '20:00' } })) : carrierDays
  for (let from = heldOutFrom; from < days - 30; from += refitDays) {
    const known = learnUpTo(parcels, firstDay + from, mistakes)
    for (const p of parcels.filter((q) => q.day >= firstDay + from && q.day < firstDay + from + refitDays)) {
      const leg = legOf(p, known, promised)
      const { promise } = promiseDelivery([leg], p.placedAt, { confidence, correction: mistakes.withoutCorrection ? uncorrected : known.correction })
      if (promise) told.push({ carrier: p.carrier, confidence: promise.confidence, kept: p.deliveredDay <= promise.promisedDay })
    }
  }
  return told
}

interface Known {
  transit: TransitModel
  lead: LeadTimes
  correction: Correction
}

/** Models from what was known `asOf`, corrected by parcels that the models they are judged by had not seen. */
function learnUpTo(parcels: readonly Parcel[], asOf: LocalDay, mistakes: Mistakes): Known {
  const before = asOf - 60
  const earlier = modelsAt(parcels, before)
  const scores: Score[] = []
  for (const p of parcels) {
    if (p.day < before || p.day >= asOf - 21) continue
    const arrival = arrivalOf(legOf(p, earlier, carrierDays), p.placedAt, 60)
    if (isObstacle(arrival)) continue
    scores.push(scoreOf(p.carrier, arrival, p.deliveredDay < asOf ? p.deliveredDay - arrival.firstDay : undefined))
  }
  const models = modelsAt(parcels, asOf)
  return { ...models, ...(mistakes.carriersAreBelieved && { transit: asDeclared }), correction: learnCorrection(scores) }
}

const asDeclared: TransitModel = (_lane, declared = 1) => ({ upTo: Array.from({ length: declared + 1 }, (_, k) => (k === declared ? 1 : 0)), learnedFrom: 'declared', observations: 0 })

function modelsAt(parcels: readonly Parcel[], asOf: LocalDay): { transit: TransitModel; lead: LeadTimes } {
  const seen: HandedOver[] = []
  const prepared: Prepared[] = []
  for (const p of parcels) {
    const day = calendar.zone.dayOf(p.handedOverAt)
    if (day >= asOf) continue
    const arrived = p.deliveredDay < asOf
    seen.push({ carrier: p.carrier, service, origin: p.node, destination: p.region, day, transitDays: arrived ? transitDays(carrierDays, day, p.deliveredDay) : undefined })
    prepared.push({ nodeId: p.node, service, day: p.day, workingMinutes: p.workMinutes })
  }
  return { transit: learnTransit(seen, { asOf }), lead: learnLeadTimes(prepared, { asOf }) }
}

const legOf = (p: Parcel, { transit, lead }: Pick<Known, 'transit' | 'lead'>, promised: CarrierDays): Leg => ({
  calendar, service, carrier: p.carrier, days: promised, units: 1,
  lead: lead(p.node, service, declaredMinutes[p.node]),
  transit: must(transit({ carrier: p.carrier, service, origin: p.node, destination: p.region }, declaredDays[p.carrier])),
})

/** A leg of an idle node nobody knows anything about yet. */
export const freshLeg = (more: Partial<Leg> = {}): Leg => ({
  calendar, service, carrier: 'swift', days: carrierDays, units: 1, lead: declaredLead(90),
  transit: must(learnTransit([], { asOf: firstDay })({ carrier: 'swift', service, origin: 'dc', destination: 'DE-10' }, 1)), ...more,
})
