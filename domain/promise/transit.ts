/**
 * How long a carrier takes, as a distribution over whole delivery days, learned per lane from parcels that were handed over.
 * A lane with few parcels leans on all parcels of the service into the same zone, these on all parcels of the service, these on what the carrier declares.
 */
import type { LocalDay } from './days'
import { learnHistograms, type Distribution, type LearningSettings } from './histogram'
import { obstacle, type Obstacle } from './obstacle'

export interface Lane {
  carrier: string
  service: string
  /** Zones as the carrier cuts them. */
  origin: string
  destination: string
}
export interface HandedOver extends Lane {
  /** Local day at the node. */
  day: LocalDay
  /** Delivery days it took (`transitDays`); none while it is not delivered. */
  transitDays?: number
}
export const transitSources = ['lane', 'zone', 'carrier', 'declared'] as const
export interface Transit extends Distribution {
  learnedFrom: (typeof transitSources)[number]
  /** Parcels behind it, weighted by age. */
  observations: number
}
/** @param declaredDays what the carrier says its service takes; without it a service nobody has used yet has no transit time. */
export type TransitModel = (lane: Lane, declaredDays?: number) => Transit | Obstacle

/** Parcels are complete after three weeks, as a rule; a quarter of a year ago weighs half. */
export const transitLearning = { maturityDays: 21, halfLifeDays: 90, priorWeight: 20, enough: 30 } as const

/** @param settings `asOf`, and what differs from `transitLearning`. */
export function learnTransit(parcels: Iterable<HandedOver>, settings: Pick<LearningSettings, 'asOf'> & Partial<LearningSettings>): TransitModel {
  const known = learnHistograms(observations(parcels), { ...transitLearning, ...settings })
  return (lane, declaredDays) => {
    const { upTo, level, observations } = known(neighbourhoods(lane), declaredDays === undefined ? { upTo: [] } : declaredTransit(declaredDays))
    const learnedFrom = transitSources[level]!
    if (learnedFrom === 'declared' && declaredDays === undefined) return obstacle('transit.unknown', `${lane.carrier} ${lane.service} to ${lane.destination}`)
    return { upTo, learnedFrom, observations }
  }
}

/**
 * What is believed of a service before anybody has used it: four in five on time, the rest trailing off over ten days. An assumption, not a measurement,
 * and doubtful on purpose: a carrier has to earn an early date by its deliveries.
 */
export function declaredTransit(days: number): Distribution {
  const late = [0.8, 0.9, 0.94, 0.96, 0.97, 0.975, 0.98, 0.984, 0.988, 0.991, 0.995]
  return { upTo: [...Array.from({ length: days }, (_, k) => (k === days - 1 ? 0.3 : 0)), ...late] }
}

const neighbourhoods = (lane: Lane): string[] => {
  const service = `${lane.carrier}\n${lane.service}`
  return [`lane\n${service}\n${lane.origin}\n${lane.destination}`, `zone\n${service}\n${lane.destination}`, `carrier\n${service}`]
}

function* observations(parcels: Iterable<HandedOver>): Generator<{ keys: string[]; day: LocalDay; steps?: number }> {
  for (const parcel of parcels) yield { keys: neighbourhoods(parcel), day: parcel.day, steps: parcel.transitDays }
}
