/** One arithmetic for stock. */
import fc from 'fast-check'
import { available, availableToSell, onHandAfterCount } from '../../../domain/inventory/level'
import { holds } from '../../support/property'

it('never promises more than is on hand, nor less than nothing', () => {
  const units = fc.nat(1000)
  holds(
    fc.property(fc.record({ onHand: units, unsellable: units, reserved: units, allocated: units, safetyStock: units }), (level) => {
      const free = available(level)
      expect(free).toBeGreaterThanOrEqual(0)
      expect(free).toBeLessThanOrEqual(level.onHand)
      if (free > 0) expect(free + level.unsellable + level.reserved + level.allocated + level.safetyStock).toBe(level.onHand)
    }),
  )
})

it('reads a count as of its moment: what moved since still counts', () => {
  expect([onHandAfterCount(10, 0), onHandAfterCount(10, -3), onHandAfterCount(10, 4), onHandAfterCount(1, -3)]).toEqual([10, 7, 14, 0])
})

it('sells on a channel what its buffer and threshold leave, never more than is available', () => {
  const units = fc.nat(100)
  holds(
    fc.property(units, units, units, (free, stockBuffer, stockThreshold) => {
      const sells = availableToSell(free, { stockBuffer, stockThreshold })
      expect(sells).toBe(free >= stockThreshold && free > stockBuffer ? free - stockBuffer : 0)
    }),
  )
})
