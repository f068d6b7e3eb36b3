/** Extra time for the nodes: the date of an order that comes so much later, told until so much earlier. */
import fc from 'fast-check'
import { minuteMs } from '../../../domain/promise/days'
import { underWay, withHandling } from '../../../domain/promise/handling'
import { isObstacle, obstacle } from '../../../domain/promise/obstacle'
import { promiseDelivery, type DatePromise } from '../../../domain/promise/promise'
import { defaultPolicies } from '../../../domain/policy/kinds'
import { holds } from '../../support/property'
import { freshLeg } from './year'

const hour = 60 * minuteMs
const from = Date.UTC(2026, 0, 1)
const instant = fc.integer({ min: 0, max: 365 * 24 * 60 }).map((minutes) => from + minutes * minuteMs)
const promiseAt = (now: number, extraHandling?: string): DatePromise => {
  const promise = withHandling({ extraHandling }, now, (then) => {
    const { promise: found, why } = promiseDelivery([freshLeg()], then, { confidence: 0.9 })
    return found ?? why
  })
  if (isObstacle(promise)) throw new Error(promise.says)
  return promise
}

it('promises what an order would be promised that comes so much later, and no earlier than without', () => {
  holds(
    fc.property(instant, fc.integer({ min: 1, max: 96 }), (now, hours) => {
      const careful = promiseAt(now, `PT${hours}H`)
      expect(careful.promisedBy).toBe(promiseAt(now + hours * hour).promisedBy)
      expect(careful.promisedBy).toBeGreaterThanOrEqual(promiseAt(now).promisedBy)
      expect(careful.handOverBy).toBeGreaterThanOrEqual(promiseAt(now).handOverBy)
    }),
    60,
  )
})

it('is still to be had when it says that it is', () => {
  holds(
    fc.property(instant, fc.integer({ min: 1, max: 96 }), (now, hours) => {
      const { cutoffAt, promisedBy } = promiseAt(now, `PT${hours}H`)
      expect(cutoffAt).toBeGreaterThanOrEqual(now)
      expect(promiseAt(cutoffAt, `PT${hours}H`).promisedBy).toBe(promisedBy)
    }),
    60,
  )
})

it('says the same as ever where no extra time is given, or the order has had it, and why where nothing can be said', () => {
  expect(promiseAt(from)).toEqual(promiseAt(from, 'PT0S'))
  expect(underWay({ promise: { ...defaultPolicies.promise, extraHandling: 'P2D' } }).promise.extraHandling).toBeUndefined()
  expect(withHandling({ extraHandling: 'P2D' }, from, () => obstacle('order.empty'))).toMatchObject({ obstacle: 'order.empty' })
})
