/** What of a plan is on the shelf and what is claimed of what is still to come. */
import fc from 'fast-check'
import { splitPlan, withToCome, type ToCome } from '../../../domain/inventory/to-come'
import type { Candidate } from '../../../domain/sourcing/decision'
import { holds } from '../../support/property'

const node = (nodeId: string, available: Record<string, number>): Candidate => ({
  nodeId, available, type: 'warehouse', position: { latitude: 0, longitude: 0 }, country: 'DE', active: true, methods: ['delivery'],
})
const announced = (nodeId: string, reference: string, quantity: number, expectedAt: string) => ({ sku: 'A', nodeId, reference, quantity, expectedAt })
const line = (quantity: number, lineId = '1') => ({ lineId, sku: 'A', quantity })

it('counts what is to come where it comes, and a pre-order everywhere', () => {
  const toCome: ToCome = { announced: [announced('n1', 'PO', 4, '2026-12-01')], preorders: [{ sku: 'B', quantity: 7, shipBy: '2027-01-01' }] }
  expect(withToCome(node('n1', { A: 1 }), toCome).available).toEqual({ A: 5, B: 7 })
  expect(withToCome(node('n2', { A: 1 }), toCome).available).toEqual({ A: 1, B: 7 })
})

it('takes what is there, then what comes first, then a pre-order', () => {
  const toCome: ToCome = {
    announced: [announced('n1', 'LATE', 2, '2026-12-09'), announced('n1', 'SOON', 1, '2026-12-01'), announced('n2', 'ELSEWHERE', 9, '2026-11-30')],
    preorders: [{ sku: 'A', quantity: 5, shipBy: '2027-01-01' }],
  }
  expect(splitPlan([{ nodeId: 'n1', lines: [line(6)] }], [node('n1', { A: 2 })], toCome)).toEqual({
    now: [{ nodeId: 'n1', lines: [line(2)] }],
    ahead: [
      { ...line(1), shipBy: '2026-12-01', supply: { nodeId: 'n1', reference: 'SOON' } },
      { ...line(2), shipBy: '2026-12-09', supply: { nodeId: 'n1', reference: 'LATE' } },
      { ...line(1), shipBy: '2027-01-01' },
    ],
  })
})

it('does not count a pre-order twice when two nodes were planned with it', () => {
  const toCome: ToCome = { announced: [], preorders: [{ sku: 'A', quantity: 3, shipBy: '2027-01-01' }] }
  expect(splitPlan([{ nodeId: 'n1', lines: [line(2)] }, { nodeId: 'n2', lines: [line(2, '2')] }], [node('n1', {}), node('n2', {})], toCome)).toBeUndefined()
})

it('claims every unit once, and of nothing more than there is, whatever is planned', () => {
  const small = fc.nat({ max: 5 })
  const plans = fc.record({ shelf: small, first: small, second: small, preorder: small, lines: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }) })
  holds(
    fc.property(plans, ({ shelf, first, second, preorder, lines }) => {
      const toCome: ToCome = {
        announced: [announced('n1', 'P1', first, '2026-12-01'), announced('n1', 'P2', second, '2026-12-02')],
        preorders: [{ sku: 'A', quantity: preorder, shipBy: '2027-01-01' }],
      }
      const wanted = lines.reduce((a, b) => a + b, 0)
      const split = splitPlan([{ nodeId: 'n1', lines: lines.map((q, i) => line(q, String(i))) }], [node('n1', { A: shelf })], toCome)
      if (wanted > shelf + first + second + preorder) return split === undefined
      const now = split!.now.flatMap((s) => s.lines)
      const of = (reference?: string): number => split!.ahead.filter((c) => c.supply?.reference === reference).reduce((sum, c) => sum + c.quantity, 0)
      const sum = now.reduce((total, l) => total + l.quantity, 0)
      return sum <= shelf && of('P1') <= first && of('P2') <= second && of() <= preorder && sum + of('P1') + of('P2') + of() === wanted
    }),
  )
})
