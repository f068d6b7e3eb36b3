/** Which captures of a hold have happened: by name where the provider names them, by sum only where it leaves no choice. */
import fc from 'fast-check'
import { captureHappened, type Capture } from '../../../domain/payment/captures'
import { holds } from '../../support/property'

const some = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.boolean()), { minLength: 1, maxLength: 6 })
  .map((all) => all.map(([amountMinor, done], i) => ({ operationId: `operation-${i}`, amountMinor, done })))
const totalOf = (captures: readonly Capture[]): number => captures.reduce((sum, c) => sum + c.amountMinor, 0)

it('finds exactly the captures that the provider names, whatever the others are worth', () => {
  holds(
    fc.property(some, fc.constantFrom('authorized', 'captured'), (all, status) => {
      const done = all.filter((c) => c.done)
      const facts = { status, capturedMinor: totalOf(done), captures: Object.fromEntries(done.map((c) => [c.operationId, c.amountMinor])) } as const
      for (const capture of all) expect(captureHappened(facts, capture, all.filter((other) => other !== capture))).toBe(capture.done)
    }),
  )
})

it('takes a sum for the capture only when nothing more can be taken and it covers every other one too', () => {
  holds(
    fc.property(some, fc.nat(3_000), (all, capturedMinor) => {
      for (const capture of all) {
        const others = all.filter((other) => other !== capture)
        expect(captureHappened({ status: 'authorized', capturedMinor }, capture, others)).toBe(false)
        expect(captureHappened({ status: 'captured', capturedMinor }, capture, others)).toBe(capturedMinor >= totalOf(all))
      }
    }),
  )
})

it('does not count what another capture took by name', () => {
  const facts = { status: 'captured', capturedMinor: 4000, captures: { 'operation-1': 4000 } } as const
  expect(captureHappened(facts, { operationId: 'operation-2', amountMinor: 3000 })).toBe(false)
  expect(captureHappened({ ...facts, capturedMinor: 7000 }, { operationId: 'operation-2', amountMinor: 3000 })).toBe(true)
})
