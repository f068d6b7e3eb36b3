/** The life of a fulfillment as a table: from each status, where it may go. A test checks that every status is reachable and has a way out. */
export const fulfillmentStatuses = [
  'released', 'picking', 'picked', 'packed', 'ready', 'handed_over', 'in_transit', 'delivered', 'collected', 'expired', 'rejected', 'cancelled', 'returning', 'returned', 'lost',
] as const
export type FulfillmentStatus = (typeof fulfillmentStatuses)[number]

export const fulfillmentMoves = {
  released: ['picking', 'picked', 'rejected', 'cancelled'], // rejected: nothing is left to fill
  picking: ['picked', 'rejected', 'cancelled'],
  picked: ['packed', 'ready', 'rejected', 'cancelled'],
  packed: ['ready', 'handed_over', 'cancelled'],
  ready: ['collected', 'expired', 'cancelled'],
  handed_over: ['in_transit', 'delivered', 'returning', 'lost'],
  in_transit: ['delivered', 'returning', 'lost'],
  returning: ['returned', 'in_transit', 'lost'],
  // ends
  delivered: [],
  collected: [],
  expired: [],
  rejected: [],
  cancelled: [],
  returned: [],
  lost: [],
} as const satisfies Record<FulfillmentStatus, readonly FulfillmentStatus[]>

export const mayMove = (from: FulfillmentStatus, to: FulfillmentStatus): boolean => (fulfillmentMoves[from] as readonly FulfillmentStatus[]).includes(to)

/** The statuses from which `to` can be reached in one move: the guard of an UPDATE. */
export const mayBecome = (to: FulfillmentStatus): FulfillmentStatus[] => fulfillmentStatuses.filter((from) => mayMove(from, to))

/** Still inside the building: can be cancelled or taken back. */
export const inBuilding = ['released', 'picking', 'picked', 'packed', 'ready'] as const satisfies readonly FulfillmentStatus[]
export const isInBuilding = (status: FulfillmentStatus): boolean => (inBuilding as readonly FulfillmentStatus[]).includes(status)

/** Out of the building, whatever became of it: a cancellation comes too late. */
export const hasLeft = (status: FulfillmentStatus): boolean => !isInBuilding(status) && !['rejected', 'cancelled', 'expired'].includes(status)

/** The commands an associate may give now, named as the last segment of their path. */
export function fulfillmentActions(status: FulfillmentStatus, labelled: boolean): string[] {
  switch (status) {
    case 'released':
    case 'picking':
      return ['assign', 'pick']
    case 'picked':
      return ['assign', 'pack']
    case 'packed':
      return labelled ? ['hand-over'] : []
    default:
      return []
  }
}
