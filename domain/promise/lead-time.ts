/** How long a node needs from the beginning of its work on an order until the parcel stands at the door, in working minutes, learned per node and service. */
import type { LocalDay } from './days'
import { learnHistograms, probabilityUpTo, quantile, type Distribution, type LearningSettings } from './histogram'

/** Lead times are counted in quarter hours, rounded up: an estimate errs to the late side by less than that. */
export const leadStepMinutes = 15

export interface Prepared {
  nodeId: string
  service: string
  /** Local day on which the work began. */
  day: LocalDay
  /** Working minutes from the beginning of the work (its slot) until it could be handed over; none while it could not. */
  workingMinutes?: number
}
/** @param declaredMinutes what the node says it needs. */
export type LeadTimes = (nodeId: string, service: string, declaredMinutes: number) => Distribution

/** What was not ready after a week is never; two months ago weighs half, for staff and seasons change. */
export const leadLearning = { maturityDays: 7, halfLifeDays: 60, priorWeight: 20, enough: 30 } as const

export function learnLeadTimes(prepared: Iterable<Prepared>, settings: Pick<LearningSettings, 'asOf'> & Partial<LearningSettings>): LeadTimes {
  const known = learnHistograms(observations(prepared), { ...leadLearning, ...settings })
  return (nodeId, service, declaredMinutes) => known(neighbourhoods(nodeId, service), declaredLead(declaredMinutes))
}

/** P(ready after `minutes` of work). */
export const readyWithin = (lead: Distribution, minutes: number): number => probabilityUpTo(lead, minutes / leadStepMinutes)

/** The working minutes within which `share` of the orders are ready; undefined when fewer ever are. */
export function leadMinutes(lead: Distribution, share: number): number | undefined {
  const steps = quantile(lead, share)
  return steps === undefined ? undefined : steps * leadStepMinutes
}

/** What is believed of a node before it has shown anything: four in five within the time it declares, 95 % within twice, 99 % within four times. An assumption. */
export function declaredLead(minutes: number): Distribution {
  const declared = Math.max(1, Math.ceil(minutes / leadStepMinutes))
  const upTo = Array.from({ length: 4 * declared + 1 }, (_, k) => (k >= 4 * declared ? 0.99 : k >= 2 * declared ? 0.95 : k >= declared ? 0.8 : k >= declared / 2 ? 0.3 : 0))
  return { upTo }
}

const neighbourhoods = (nodeId: string, service: string): string[] => [`service\n${nodeId}\n${service}`, `node\n${nodeId}`]

function* observations(prepared: Iterable<Prepared>): Generator<{ keys: string[]; day: LocalDay; steps?: number }> {
  for (const one of prepared)
    yield { keys: neighbourhoods(one.nodeId, one.service), day: one.day, steps: one.workingMinutes === undefined ? undefined : Math.ceil(one.workingMinutes / leadStepMinutes) }
}
