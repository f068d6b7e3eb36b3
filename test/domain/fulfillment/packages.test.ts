/** Boxes hold exactly what was picked, weigh at least what is in them, and are all scanned at the door. */
import fc from 'fast-check'
import { checkScans, compareScans } from '../../../domain/fulfillment/hand-over-scans'
import { checkPackages, checkWeights } from '../../../domain/fulfillment/packages'
import type { WorkLine } from '../../../domain/fulfillment/pick'
import { Refusal } from '../../../domain/refusals'
import { holds } from '../../support/property'

const line = (change: Partial<WorkLine> = {}): WorkLine => ({ lineId: '1', sku: 'SOCKS-3P', quantity: 5, picked: 0, rejected: 0, ...change })
const refusal = (run: () => unknown): object => {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, ...error.data }
    throw error
  }
  return {}
}

it('takes boxes that hold exactly what was picked, also one line in several boxes', () => {
  const picked = [line({ picked: 5 })]
  expect(() => checkPackages(picked, [{ lines: [{ lineId: '1', quantity: 2 }] }, { lines: [{ lineId: '1', quantity: 3 }] }])).not.toThrow()
  expect(refusal(() => checkPackages(picked, [{ lines: [{ lineId: '1', quantity: 4 }] }]))).toEqual({ code: 'fulfillment.packages_differ', lineId: '1', picked: 5, packed: 4 })
  expect(refusal(() => checkPackages(picked, [{ lines: [{ lineId: '1', quantity: 5 }, { lineId: '2', quantity: 1 }] }]))).toEqual({ code: 'fulfillment.packages_differ', lineId: '2', picked: 0, packed: 1 })
})

describe('weights', () => {
  const unitGrams = new Map([['1', 500], ['2', 100]])
  const box = (weightGrams: number, ...lines: { lineId: string; quantity: number }[]): { weightGrams: number; lines: typeof lines } => ({ weightGrams, lines })

  it('may not be below those of the goods, less what catalogues are wrong by', () => {
    expect(() => checkWeights([box(1_080, { lineId: '1', quantity: 2 }, { lineId: '2', quantity: 2 })], unitGrams, 0.1)).not.toThrow()
    expect(refusal(() => checkWeights([box(600, { lineId: '1', quantity: 1 }), box(899, { lineId: '1', quantity: 2 })], unitGrams, 0.1))).toEqual({
      code: 'fulfillment.weight_implausible', package: 2, weightGrams: 899, goodsGrams: 1_000, leastGrams: 900,
    })
  })

  it('equal to those of the goods are always taken, a gram less never', () => {
    holds(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (quantity) => {
        const judged = (weightGrams: number): object => refusal(() => checkWeights([box(weightGrams, { lineId: '1', quantity })], unitGrams, 0))
        return !('code' in judged(quantity * 500)) && 'code' in judged(quantity * 500 - 1)
      }),
    )
  })
})

describe('scans at the door', () => {
  const packages = [{ packageId: 'a', number: 1, trackingNumber: 'SP-1' }, { packageId: 'b', number: 2, trackingNumber: 'SP-2' }]
  const now = { state: 'packed', assignee: 'Ines' }

  it('are complete when every package was scanned once, however the scanner writes it', () => {
    expect(() => checkScans(packages, ['sp-2', ' SP-1 '], now)).not.toThrow()
  })

  it('say at once what is missing, what belongs elsewhere and what came twice', () => {
    expect(refusal(() => checkScans(packages, ['SP-1', 'SP-9', 'SP-1'], now))).toEqual({ code: 'fulfillment.scans_differ', missing: [packages[1]], foreign: ['SP-9'], repeated: ['SP-1'], ...now })
  })

  it('are complete exactly when nothing is missing, foreign or repeated', () => {
    holds(
      fc.property(fc.array(fc.constantFrom('SP-1', 'SP-2', 'SP-3'), { maxLength: 5 }), (scans) => {
        const { missing, foreign, repeated } = compareScans(packages, scans)
        return (missing.length + foreign.length + repeated.length === 0) === ([...scans].sort().join() === 'SP-1,SP-2')
      }),
    )
  })
})
