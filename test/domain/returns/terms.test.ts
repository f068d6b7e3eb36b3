/** What the policy of returns allows, and how a return may go on. */
import { hasEnded, isExpected, mayBecome, returnStatuses } from '../../../domain/returns/status'
import { objection } from '../../../domain/returns/terms'

const policy = { window: 'P30D', restockBy: 'P45D', finalSale: ['UNDERWEAR-'] }
const arrivedAt = '2026-11-01T12:00:00.000Z'
const on = (day: string): number => Date.parse(day)

it('takes back within the window of the last arrival, and says when it closed', () => {
  expect(objection(policy, { arrivedAt, now: on('2026-12-01T12:00:00.000Z'), skus: ['SHOE-LB-42'] })).toBeUndefined()
  expect(objection(policy, { arrivedAt, now: on('2026-12-01T12:00:00.001Z'), skus: ['SHOE-LB-42'] })).toEqual({ rule: 'window', closedAt: '2026-12-01T12:00:00.000Z' })
  expect(objection(policy, { arrivedAt: undefined, now: on('2027-12-01T12:00:00Z'), skus: ['SHOE-LB-42'] })).toBeUndefined()
})

it('does not take back what was sold for good, whenever it comes', () => {
  expect(objection(policy, { arrivedAt, now: on('2026-11-02T00:00:00Z'), skus: ['SHOE-LB-42', 'UNDERWEAR-M'] })).toEqual({ rule: 'final_sale', skus: ['UNDERWEAR-M'] })
})

it('ends a return in exactly one way, and counts only what was agreed to', () => {
  expect(returnStatuses.filter(hasEnded)).toEqual(['closed', 'rejected', 'cancelled'])
  expect(returnStatuses.filter(isExpected)).toEqual(['approved', 'in_transit', 'collected'])
  for (const was of returnStatuses) for (const becomes of returnStatuses) if (hasEnded(was)) expect(mayBecome(was, becomes)).toBe(false)
})
