/** The two ceilings of giving money back. */
import fc from 'fast-check'
import { judgeRefund, receivedLeftMinor, shortOf } from '../../../domain/returns/ceilings'

const money = { takenMinor: 4_490, givenMinor: 0, keptMinor: 4_490, aboveMinor: 0, claimedMinor: 0 }

it('needs another person for anything while the customer keeps what she paid for', () => {
  expect(judgeRefund(500, 4_490, money)).toEqual({ receivedMinor: 0, aboveMinor: 500 })
})

it('gives a fee that was kept back without, and no more than that', () => {
  const returned = { ...money, keptMinor: 2_490, givenMinor: 1_700 }
  expect(judgeRefund(300, 2_790, returned)).toEqual({ receivedMinor: 300, aboveMinor: 0 })
  expect(judgeRefund(301, 2_790, returned)).toEqual({ receivedMinor: 300, aboveMinor: 1 })
  expect(receivedLeftMinor({ ...returned, givenMinor: 2_000 })).toBe(0)
})

it('refuses what no tender has left', () => {
  expect(judgeRefund(4_491, 4_490, money)).toBeUndefined()
})

it('counts a claim within what came back against it, though its units are not among what she keeps any more', () => {
  const returned = { ...money, keptMinor: 990, givenMinor: 3_200 }
  expect(judgeRefund(250, 1_290, returned)).toEqual({ receivedMinor: 300, aboveMinor: 0 })
  expect(receivedLeftMinor({ ...returned, keptMinor: 740, givenMinor: 3_450, claimedMinor: 250 })).toBe(50)
})

it('counts what was given ahead before anybody is owed more, and no more than that', () => {
  expect(shortOf(200, 500)).toEqual({ countedMinor: 200, owedMinor: 0 })
  expect(shortOf(700, 500)).toEqual({ countedMinor: 500, owedMinor: 200 })
  expect(shortOf(700, 0)).toEqual({ countedMinor: 0, owedMinor: 700 })
})

const asks = fc.array(fc.record({ minor: fc.integer({ min: 1, max: 3_000 }), isClaim: fc.boolean() }), { maxLength: 10 })

it('never lets one ceiling raise the other, whatever was asked before, as an amount or for units', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }), asks, (takenMinor, kept, all) => {
      let state = { takenMinor, givenMinor: 0, keptMinor: Math.min(kept, takenMinor), aboveMinor: 0, claimedMinor: 0 }
      const receivedMinor = receivedLeftMinor(state)
      let withoutYesMinor = 0
      for (const { minor, isClaim } of all) {
        if (isClaim && minor > state.keptMinor) continue
        const judged = judgeRefund(minor, state.takenMinor - state.givenMinor, state)
        if (!judged) continue
        const withinMinor = minor - judged.aboveMinor
        withoutYesMinor += withinMinor
        state = {
          ...state, givenMinor: state.givenMinor + minor,
          ...(isClaim ? { keptMinor: state.keptMinor - minor, claimedMinor: state.claimedMinor + withinMinor } : { aboveMinor: state.aboveMinor + judged.aboveMinor }),
        }
      }
      expect(state.givenMinor).toBeLessThanOrEqual(takenMinor)
      expect(withoutYesMinor).toBeLessThanOrEqual(receivedMinor)
      expect(receivedLeftMinor(state)).toBe(receivedMinor - withoutYesMinor)
    }),
  )
})
