/** Whatever order the provider's news comes in, and however often, we end knowing the same. */
import fc from 'fast-check'
import { addsNothing, holdsMoney, isSettled, mergeView, paymentStates, type PaymentView } from '../../../domain/payment/view'
import { holds } from '../../support/property'

const view: fc.Arbitrary<PaymentView> = fc
  .record({ status: fc.constantFrom(...paymentStates), a: fc.nat(1000), b: fc.nat(1000), c: fc.nat(1000) })
  .map(({ status, a, b, c }) => ({ status, authorizedMinor: a + b + c, capturedMinor: a + b, refundedMinor: a }))
const unknown: PaymentView = { status: 'opened', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0 }
const after = (news: readonly PaymentView[]): PaymentView => news.reduce(mergeView, unknown)

it('ends the same for every permutation of the same news with duplicates', () => {
  const history = fc.array(view, { minLength: 1, maxLength: 6 })
  holds(
    fc.property(
      history.chain((news) => fc.tuple(fc.constant(news), fc.shuffledSubarray([...news, ...news], { minLength: news.length * 2 }))),
      ([news, shuffled]) => expect(after(shuffled)).toEqual(after(news)),
    ),
  )
})

it('is a join: commutative, associative, idempotent', () => {
  holds(
    fc.property(view, view, view, (a, b, c) => {
      expect(mergeView(a, b)).toEqual(mergeView(b, a))
      expect(mergeView(mergeView(a, b), c)).toEqual(mergeView(a, mergeView(b, c)))
      expect(mergeView(a, a)).toEqual(a)
    }),
  )
})

it('never forgets money, and keeps authorised ≥ captured ≥ refunded', () => {
  holds(
    fc.property(view, view, (a, b) => {
      const merged = mergeView(a, b)
      expect(merged.capturedMinor).toBeGreaterThanOrEqual(Math.max(a.capturedMinor, b.capturedMinor))
      expect(merged.authorizedMinor).toBeGreaterThanOrEqual(merged.capturedMinor)
      expect(merged.capturedMinor).toBeGreaterThanOrEqual(merged.refundedMinor)
    }),
  )
})

it('knows when news says nothing new', () => {
  holds(fc.property(view, view, (a, b) => expect(addsNothing(mergeView(a, b), b)).toBe(true)))
  expect(addsNothing(unknown, { ...unknown, status: 'authorized', authorizedMinor: 10 })).toBe(false)
})

it('lets goods leave only on held or taken money, and waits no longer once it is settled', () => {
  expect(paymentStates.filter(holdsMoney)).toEqual(['authorized', 'captured'])
  expect(paymentStates.filter(isSettled)).toEqual(['declined', 'authorized', 'voided', 'captured'])
})
