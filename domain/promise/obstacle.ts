/** Why there is no date: a reason with a code and a sentence, given back as a value, because "no promise" is an answer and never a crash. */
export const obstacles = {
  'node.unknown': 'The node is not known here yet',
  'calendar.time_zone_unknown': 'The time zone is not one of the IANA time zone database',
  'calendar.time_malformed': 'A time of day must be written as 09:00, at most 24:00',
  'calendar.date_malformed': 'A date must be written as 2026-12-24 and exist',
  'calendar.hours_malformed': 'Opening hours must close after they open and must not overlap',
  'calendar.no_open_day': 'The calendar has no day on which the node is open',
  'cutoff.unknown_service': 'The node has no cut-off for this service',
  'cutoff.never': 'The cut-off of this service lies on no day on which the node is open',
  'pickup.unknown_carrier': 'The carrier does not collect at this node',
  'pickup.never': 'The carrier collects on no day on which the node is open',
  'carrier.never_delivers': 'The carrier has no day on which it delivers',
  'carrier.does_not_serve': 'The carrier does not deliver there',
  'parcel.too_heavy': 'The parcel is heavier than the carrier takes',
  'parcel.too_large': 'The parcel is larger than the carrier takes',
  'transit.unknown': 'Nothing is known of how long this carrier takes to this place',
  'capacity.full': 'The node has no room for this order within the days looked ahead',
  'order.empty': 'There is nothing to send',
  'confidence.out_of_range': 'A confidence lies above 0 and below 1',
  'confidence.unreachable': 'No day within the horizon is kept with the confidence the policy asks for',
} as const
export type ObstacleCode = keyof typeof obstacles

export interface Obstacle {
  obstacle: ObstacleCode
  /** The sentence of the catalogue, with what it was about. */
  says: string
}

export const obstacle = (code: ObstacleCode, about?: string): Obstacle => ({ obstacle: code, says: about === undefined ? obstacles[code] : `${obstacles[code]}: ${about}` })

export const isObstacle = (answer: object): answer is Obstacle => 'obstacle' in answer
