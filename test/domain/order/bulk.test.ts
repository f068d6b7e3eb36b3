/** What a bulk action would do to an order as it stands. */
import { bulkActions, forecast, undoing, undoWithin, type BulkFacts } from '../../../domain/order/bulk'
import { durationMs } from '../../../domain/policy/duration'

const order: BulkFacts = { stage: 'open', hasLeft: false, blocked: [], releasable: 0, notBegun: 1, inBuilding: 1, waitsForStock: false, units: 2, currency: 'EUR', heldMinor: 900, takenElsewhereMinor: 0 }

it.each<[string, Parameters<typeof forecast>[0], Partial<BulkFacts>, string | undefined]>([
  ['cancels what is in the building', 'cancel', {}, undefined],
  ['does not cancel what has left', 'cancel', { hasLeft: true }, 'order.already_handed_over'],
  ['does not cancel twice', 'cancel', { stage: 'cancelled' }, 'order.already_cancelled'],
  ['leaves what has ended alone', 're-source', { stage: 'completed' }, 'order.closed'],
  ['releases what may be released', 'release', { releasable: 1 }, undefined],
  ['releases nothing where nothing may be', 'release', {}, 'hold.none'],
  ['moves what nobody has begun', 're-source', {}, undefined],
  ['looks again for what waits for stock', 're-source', { notBegun: 0, waitsForStock: true }, undefined],
  ['moves nothing that is begun', 're-source', { notBegun: 0 }, 'order.not_moved'],
  ['moves nothing that is held', 're-source', { blocked: ['picking'] }, 'order.held'],
  ['moves what is held only for shipping', 're-source', { blocked: ['shipping'] }, undefined],
  ['tells another date of what is with a node', 're-promise', {}, undefined],
  ['tells no other date where there is nothing to go by', 're-promise', { inBuilding: 0 }, 'order.promise_stays'],
])('%s', (_what, action, change, code) => {
  expect(forecast(action, { ...order, ...change }).code).toBe(code)
})

it('moves money only by cancelling, and none of what is refused', () => {
  const taken = { ...order, takenElsewhereMinor: 500 }
  expect(forecast('cancel', taken)).toEqual({ units: 2, letGoMinor: 900, refundElsewhereMinor: 500 })
  expect(forecast('cancel', { ...taken, hasLeft: true })).toMatchObject({ letGoMinor: 0, refundElsewhereMinor: 0, units: 0 })
  expect(forecast('re-promise', taken)).toMatchObject({ letGoMinor: 0, refundElsewhereMinor: 0 })
})

it('gives time to withdraw what cannot be taken back', () => {
  expect(bulkActions.filter((action) => undoing[action].startsWith('Withdraw') && durationMs(undoWithin[action]!) < 1_000)).toEqual([])
})
