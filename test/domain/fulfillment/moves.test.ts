/** The table of a fulfillment's life: every status can be reached, and from every one there is a way out. */
import { fulfillmentActions, fulfillmentMoves, fulfillmentStatuses, hasLeft, isInBuilding, mayBecome, mayMove, type FulfillmentStatus } from '../../../domain/fulfillment/moves'

const reachable = (from: FulfillmentStatus, seen = new Set<FulfillmentStatus>()): Set<FulfillmentStatus> => {
  if (!seen.has(from)) {
    seen.add(from)
    for (const to of fulfillmentMoves[from]) reachable(to, seen)
  }
  return seen
}
const ends = fulfillmentStatuses.filter((s) => fulfillmentMoves[s].length === 0)

it('reaches every status from the release', () => {
  expect([...reachable('released')].sort()).toEqual([...fulfillmentStatuses].sort())
})

it('leads from every status to an end', () => {
  for (const status of fulfillmentStatuses) expect(ends.some((end) => reachable(status).has(end))).toBe(true)
  expect([...ends].sort()).toEqual(['cancelled', 'collected', 'delivered', 'expired', 'lost', 'rejected', 'returned'])
})

it('cannot be cancelled once it has left the building', () => {
  for (const status of fulfillmentStatuses) expect(mayMove(status, 'cancelled')).toBe(isInBuilding(status))
  expect(fulfillmentStatuses.filter(hasLeft)).toEqual(['handed_over', 'in_transit', 'delivered', 'collected', 'returning', 'returned', 'lost'])
})

it('guards an UPDATE with exactly the statuses that may become the wanted one', () => {
  for (const to of fulfillmentStatuses) expect(mayBecome(to)).toEqual(fulfillmentStatuses.filter((from) => mayMove(from, to)))
})

it('offers an associate only what the table allows', () => {
  expect(fulfillmentActions({ status: 'released', method: 'delivery' }, false)).toEqual(['assign', 'pick'])
  expect(fulfillmentActions({ status: 'picked', method: 'delivery' }, false)).toEqual(['assign', 'pack'])
  expect([fulfillmentActions({ status: 'packed', method: 'delivery' }, false), fulfillmentActions({ status: 'packed', method: 'delivery' }, true)]).toEqual([[], ['hand-over']])
  expect(fulfillmentActions({ status: 'delivered', method: 'delivery' }, true)).toEqual([])
})
