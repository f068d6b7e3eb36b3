/** Pick reports add up. */
import fc from 'fast-check'
import { addPick, isAllPicked, type WorkLine } from '../../../domain/fulfillment/pick'
import { holds } from '../../support/property'

const line = (change: Partial<WorkLine> = {}): WorkLine => ({ lineId: '1', sku: 'SOCKS-3P', quantity: 5, picked: 0, rejected: 0, ...change })
const refusal = (run: () => unknown): object => {
  try {
    run()
  } catch (error) {
    return { code: (error as { code: string }).code, ...(error as { data: object }).data }
  }
  throw new Error('was not refused')
}

it('never counts more units than the work order has, whatever is reported in whatever order', () => {
  const report = fc.record({ lineId: fc.constant('1'), picked: fc.nat(4), rejected: fc.nat(4) })
  holds(
    fc.property(fc.array(report, { maxLength: 8 }), (reports) => {
      let lines = [line()]
      for (const r of reports) {
        try {
          lines = addPick(lines, [r])
        } catch (error) {
          expect(error).toMatchObject({ code: 'fulfillment.quantity' })
        }
      }
      expect(lines[0]!.picked + lines[0]!.rejected).toBeLessThanOrEqual(5)
    }),
  )
})

it('adds to what was reported before and leaves the given lines as they were', () => {
  const before = [line({ picked: 2 })]
  expect(addPick(before, [{ lineId: '1', picked: 2, rejected: 1 }])).toEqual([line({ picked: 4, rejected: 1 })])
  expect(before).toEqual([line({ picked: 2 })])
  expect([{ picked: 4 }, { picked: 4, rejected: 1 }, { picked: 5 }, { rejected: 5 }].map((l) => isAllPicked([line(l)]))).toEqual([false, true, true, false])
})

it('says to whoever is refused how far the work is and who has it', () => {
  const now = { state: 'picking', assignee: 'Ines' }
  expect(refusal(() => addPick([line({ picked: 5 })], [{ lineId: '1', picked: 1, rejected: 0 }], now))).toEqual({ code: 'fulfillment.quantity', lineId: '1', open: 0, given: 1, ...now })
})

it('refuses more than is open, and a line that is not part of the work', () => {
  expect(refusal(() => addPick([line({ picked: 4 })], [{ lineId: '1', picked: 2, rejected: 0 }]))).toEqual({ code: 'fulfillment.quantity', lineId: '1', open: 1, given: 2 })
  expect(refusal(() => addPick([line()], [{ lineId: 'x', picked: 1, rejected: 0 }]))).toEqual({ code: 'fulfillment.quantity', lineId: 'x', open: 0, given: 1 })
})
