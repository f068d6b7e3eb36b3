/** The life of a fulfillment as a table: from each status, where it may go. A test checks that every status is reachable and has a way out. */
import { ownDriver } from '../delivery/own-fleet'

export const fulfillmentStatuses = [
  'released', 'picking', 'picked', 'packed', 'ready', 'handed_over', 'in_transit', 'delivered', 'collected', 'expired', 'rejected', 'cancelled', 'returning', 'returned', 'lost',
] as const
export type FulfillmentStatus = (typeof fulfillmentStatuses)[number]

export const fulfillmentMoves = {
  released: ['picking', 'picked', 'collected', 'rejected', 'cancelled'], // collected: carried out at the till; rejected: nothing is left to fill
  picking: ['picked', 'rejected', 'cancelled'],
  picked: ['packed', 'ready', 'picking', 'rejected', 'cancelled'], // picking: more was asked for after the click
  packed: ['ready', 'handed_over', 'cancelled'],
  ready: ['collected', 'expired', 'cancelled'],
  handed_over: ['in_transit', 'delivered', 'returning', 'lost'], // delivered: of a transfer, received by the other node
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

/** How a work order goes on: sent to the customer, fetched by her, carried out at once, or sent to the node that gives it to her. */
export const workMethods = ['delivery', 'pickup', 'carry_out', 'transfer'] as const
export type WorkMethod = (typeof workMethods)[number]

/** Of an order's delivery method; `ship_to_store` says only that the goods may come from anywhere. */
export const workMethodAt = (method: string, collectedAt: string | undefined, nodeId: string): WorkMethod => {
  if (method === 'delivery' || method === 'carry_out') return method
  return nodeId === collectedAt ? 'pickup' : 'transfer'
}

/** The goods may come from anywhere, to a store where the customer fetches them. */
export const isGathered = (method: string): boolean => method === 'ship_to_store'

/** On its way between two of our own nodes: it has left a building, and not us. */
export const isBetweenNodes = (work: { method: string; status: FulfillmentStatus }): boolean => work.method === 'transfer' && (work.status === 'handed_over' || work.status === 'in_transit')

/** Too late to be cancelled: the customer has it, or somebody who brings it to her. What a transfer brought is a work order of its own. */
export const isGone = (work: { method: string; status: FulfillmentStatus }): boolean => work.method !== 'transfer' && hasLeft(work.status)

/** The commands an associate may give now, named as the last segment of their path. */
export function fulfillmentActions(work: { status: FulfillmentStatus; method: string; service?: string | null; assignee?: string | null }, labelled: boolean): string[] {
  const { status, method, service, assignee } = work
  const assigning = assignee ? ['assign', 'unassign'] : ['assign']
  switch (status) {
    case 'released':
    case 'picking':
      return method === 'carry_out' ? [] : [...assigning, 'pick']
    case 'picked':
      return [...assigning, method === 'pickup' ? 'ready-for-pickup' : 'pack']
    case 'packed':
      return labelled && service !== ownDriver ? ['hand-over'] : []
    case 'ready':
      return ['collect']
    case 'handed_over':
    case 'in_transit':
      return method === 'transfer' ? ['receive'] : []
    default:
      return []
  }
}
