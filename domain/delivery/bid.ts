/** What a service offers for parcels that stand packed: how likely they come by the promised day, and within how many days with confidence, from the next time its carrier collects. */
import { arrivedByFrom } from '../promise/arrival'
import type { NodeCalendar } from '../promise/calendar'
import type { CarrierDays } from '../promise/carrier-days'
import type { Correction } from '../promise/conformal'
import type { Instant } from '../promise/days'
import type { Distribution } from '../promise/histogram'
import { obstacle, type Obstacle } from '../promise/obstacle'
import { nextPickup } from '../promise/working-time'

export interface Outlook {
  /** None: no date was promised. */
  kept?: number
  /** None: not within the days looked at. */
  withinDays?: number
  /** When it is collected. */
  collectedAt: Instant
}
export interface OutlookAsk {
  carrier: string
  calendar: NodeCalendar
  days: CarrierDays
  transit: Distribution
  correction: Correction
  now: Instant
  /** The end of the promised window. */
  promisedBy?: Instant
  confidence: number
}

const horizonDays = 60

export function outlook({ promisedBy, ...ask }: OutlookAsk): Outlook | Obstacle {
  const { calendar, carrier, now, days } = ask
  const collectedAt = nextPickup(calendar, carrier, now)
  if (collectedAt === undefined) return obstacle(calendar.carriers.includes(carrier) ? 'pickup.never' : 'pickup.unknown_carrier', carrier)
  const arrivedBy = (day: number): number => {
    const predicted = arrivedByFrom(ask, collectedAt, day)
    return predicted <= 0 ? 0 : ask.correction(carrier, predicted)
  }
  const today = days.zone.dayOf(now)
  const withinDays = Array.from({ length: horizonDays }, (_, ahead) => ahead).find((ahead) => arrivedBy(today + ahead) >= ask.confidence)
  // The window of a day may end at midnight, which is the next day already.
  const kept = promisedBy === undefined ? undefined : arrivedBy(days.zone.dayOf(promisedBy - 1))
  return { collectedAt, ...(kept !== undefined && { kept }), ...(withinDays !== undefined && { withinDays }) }
}
