/** The two ceilings of giving money back. */
import fc from 'fast-check'
import { judgeRefund, receivedLeftMinor } from '../../../domain/returns/ceilings'

const money = { takenMinor: 4_490, givenMinor: 0, keptMinor: 4_490, goodwill: { aboveMinor: 0, withinMinor: 0 } }

it('needs another person for anything while the customer keeps what she paid for', () => {
  expect(judgeRefund(500, 4_490, money)).toEqual({ receivedMinor: 0, aboveMinor: 500 })
})

it('gives a fee that was kept back without, and no more than that', () => {
  const returned = { ...money, keptMinor: 2_490, givenMinor: 1_700 }
  expect(judgeRefund(300, 2_790, returned)).toEqual({ receivedMinor: 300, aboveMinor: 0 })
  expect(judgeRefund(301, 2_790, returned)).toEqual({ receivedMinor: 300, aboveMinor: 1 })
  expect(receivedLeftMinor({ ...returned, givenMinor: 2_000, goodwill: { aboveMinor: 0, withinMinor: 300 } })).toBe(0)
})

it('refuses what no tender has left', () => {
  expect(judgeRefund(4_491, 4_490, money)).toBeUndefined()
})

it('never lets one ceiling raise the other, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }), fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 10 }), (takenMinor, kept, asks) => {
      let state = { takenMinor, givenMinor: 0, keptMinor: Math.min(kept, takenMinor), goodwill: { aboveMinor: 0, withinMinor: 0 } }
      const receivedMinor = receivedLeftMinor(state)
      for (const ask of asks) {
        const judged = judgeRefund(ask, state.takenMinor - state.givenMinor, state)
        if (!judged) continue
        state = { ...state, givenMinor: state.givenMinor + ask, goodwill: { aboveMinor: state.goodwill.aboveMinor + judged.aboveMinor, withinMinor: state.goodwill.withinMinor + ask - judged.aboveMinor } }
      }
      expect(state.givenMinor).toBeLessThanOrEqual(takenMinor)
      expect(state.goodwill.withinMinor).toBeLessThanOrEqual(receivedMinor)
      expect(state.goodwill.withinMinor + state.goodwill.aboveMinor).toBe(state.givenMinor)
    }),
  )
})
