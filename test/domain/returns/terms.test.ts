/** What the policy of returns allows, line by line, what it keeps, and how a return may go on. */
import fc from 'fast-check'
import type { ReturnsPolicy } from '../../../domain/policy/kinds'
import { hasEnded, isExpected, mayBecome, returnStatuses } from '../../../domain/returns/status'
import { feesOf, objections, refundOnOf, termsOf, type AskedLine } from '../../../domain/returns/terms'

const arrivedAt = '2026-11-01T12:00:00.000Z'
const on = (day: string): number => Date.parse(day)
const shoe: AskedLine = { lineId: '1', sku: 'SHOE-LB-42', category: 'shoes', reason: 'too_big' }
const book: AskedLine = { lineId: '2', sku: 'BOOK-1', category: null, reason: 'changed_mind' }
const against = (policy: ReturnsPolicy, lines: AskedLine[], { now = on('2026-11-02T00:00:00Z'), channel = 'web', proofs = [] as ('photo' | 'receipt')[], arrived = arrivedAt } = {}) =>
  objections(termsOf(policy, channel, lines), { arrivedAt: arrived === '' ? undefined : arrived, now, proofs })

describe('a policy without rules', () => {
  const policy = { window: 'P30D', restockBy: 'P45D', finalSale: ['UNDERWEAR-'], feeMinor: 300 }
  it('takes back within the window of the last arrival, and says when it closed', () => {
    expect(against(policy, [shoe], { now: on('2026-12-01T12:00:00.000Z') })).toEqual([])
    expect(against(policy, [shoe], { now: on('2026-12-01T12:00:00.001Z') })).toEqual([{ rule: 'window', by: ['policy'], closedAt: '2026-12-01T12:00:00.000Z', lineIds: ['1'] }])
    expect(against(policy, [shoe], { now: on('2027-12-01T12:00:00Z'), arrived: '' })).toEqual([])
  })
  it('does not take back what was sold for good, whenever it comes', () => {
    expect(against(policy, [shoe, { ...book, sku: 'UNDERWEAR-M' }])).toMatchObject([{ rule: 'final_sale', skus: ['UNDERWEAR-M'] }])
  })
  it('takes any words for a reason, and one fee of all lines', () => {
    expect(against(policy, [{ ...shoe, reason: 'meh' }])).toEqual([])
    expect(feesOf(termsOf(policy, 'web', [shoe, book]))).toBe(300)
  })
})

describe('a policy with rules', () => {
  const policy: ReturnsPolicy = {
    window: 'P30D',
    restockBy: 'P45D',
    feeMinor: 300,
    rules: [
      { name: 'marketplace', channels: ['marketplace'], window: 'P14D', feePer: 'line', feeMinor: 100 },
      { name: 'shoes', categories: ['shoes'], window: 'P60D', feeMinor: 500, reasons: [{ code: 'too_big' }, { code: 'broken', ourFault: true }], proof: 'photo' },
      { name: 'lingerie', categories: ['lingerie'], finalSale: true },
    ],
  }
  it('lets the first rule that fits govern a line, and the policy the rest', () => {
    const named = (channel: string): (string | null)[] => termsOf(policy, channel, [shoe, book, { ...shoe, category: 'lingerie' }]).map((t) => t.rule)
    expect(named('web')).toEqual(['shoes', null, 'lingerie'])
    expect(named('marketplace')).toEqual(['marketplace', 'marketplace', 'marketplace'])
  })
  it('gives each line of one return its own window, and says which is over', () => {
    const lines = [shoe, book]
    expect(against(policy, lines, { now: on('2026-12-10T00:00:00Z'), proofs: ['photo'] })).toEqual([{ rule: 'window', by: ['policy'], closedAt: '2026-12-01T12:00:00.000Z', lineIds: ['2'] }])
    expect(against(policy, lines, { now: on('2026-11-20T00:00:00Z'), channel: 'marketplace' })).toMatchObject([{ rule: 'window', by: ['marketplace'], closedAt: '2026-11-15T12:00:00.000Z', lineIds: ['1', '2'] }])
  })
  it('asks for one of its reasons and for a proof, and names what is missing', () => {
    expect(against(policy, [{ ...shoe, reason: 'ugly' }])).toEqual([
      { rule: 'reason', by: ['shoes'], lineId: '1', reason: 'ugly', accepted: ['too_big', 'broken'] },
      { rule: 'proof', by: ['shoes'], proof: 'photo', lineIds: ['1'] },
    ])
    expect(against(policy, [shoe], { proofs: ['receipt'] })).toMatchObject([{ rule: 'proof' }])
    expect(against(policy, [shoe], { proofs: ['photo'] })).toEqual([])
  })
  it('gives the money of marked orders when their rule says, and of one return when the line says whose money waits longest', () => {
    const trusting: ReturnsPolicy = { ...policy, refundOn: 'scan', rules: [{ name: 'trusted', flags: ['trusted', 'vip'], refundOn: 'request' }, { name: 'shoes', categories: ['shoes'], refundOn: 'receipt' }] }
    const said = (...flags: string[]): unknown[] => termsOf(trusting, 'web', [shoe, book], flags).map((t) => [t.rule, t.refundOn])
    expect(said('vip', 'gift')).toEqual([['trusted', 'request'], ['trusted', 'request']])
    expect(said('gift')).toEqual([['shoes', 'receipt'], [null, 'scan']])
    expect(refundOnOf(termsOf(trusting, 'web', [shoe, book]))).toBe('receipt')
    expect(refundOnOf(termsOf(trusting, 'web', [book]))).toBe('scan')
    expect(refundOnOf(termsOf(trusting, 'web', [book], ['trusted']))).toBe('request')
    expect(termsOf({ window: 'P30D', restockBy: 'P45D' }, 'web', [book])).toMatchObject([{ refundOn: 'receipt' }])
  })
  it('keeps the highest fee per return, each fee per line, and none where the fault is ours', () => {
    expect(feesOf(termsOf(policy, 'web', [shoe, book]))).toBe(500)
    expect(feesOf(termsOf(policy, 'web', [{ ...shoe, reason: 'broken' }, book]))).toBe(300)
    expect(feesOf(termsOf(policy, 'marketplace', [shoe, book]))).toBe(200)
  })
})

it('keeps the same of lines that come one after another as of all together', () => {
  const line = fc.record({ feeMinor: fc.integer({ min: 0, max: 2_000 }), feePer: fc.constantFrom('return' as const, 'line' as const) })
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
      const kept = lines.map((_, i) => feesOf(lines.slice(0, i + 1)) - feesOf(lines.slice(0, i)))
      expect(kept.every((fee) => fee >= 0)).toBe(true)
      expect(kept.reduce((sum, fee) => sum + fee, 0)).toBe(feesOf(lines))
    }),
  )
})

it('ends a return in exactly one way, and counts only what was agreed to', () => {
  expect(returnStatuses.filter(hasEnded)).toEqual(['closed', 'rejected', 'cancelled'])
  expect(returnStatuses.filter(isExpected)).toEqual(['approved', 'in_transit', 'collected'])
  for (const was of returnStatuses) for (const becomes of returnStatuses) if (hasEnded(was)) expect(mayBecome(was, becomes)).toBe(false)
})
