/** Single lines of a settlement file: what they say, and why some say nothing. */
import { breakReasons, correctionOf, settlementColumns, settlementHeader, settlementLine } from '../../../domain/payment/settlement'

const columns = settlementHeader([...settlementColumns])
const line = (changes: Partial<Record<(typeof settlementColumns)[number], string>> = {}): ReturnType<typeof settlementLine> => {
  if (typeof columns === 'string') throw new Error(columns)
  const cells = { balance_transaction_id: 'txn_1', created: '2026-11-23 09:00:00', currency: 'eur', gross: '14.90', fee: '0.47', net: '14.43', reporting_category: 'charge', payment_intent_id: 'pi_1', ...changes }
  return settlementLine(settlementColumns.map((name) => cells[name]), columns)
}

it('reads a capture, a refund, and what is neither', () => {
  expect(line()).toEqual({ transactionId: 'txn_1', kind: 'capture', category: 'charge', reference: 'pi_1', currency: 'EUR', grossMinor: 1_490, feeMinor: 47, netMinor: 1_443, createdAt: '2026-11-23T09:00:00.000Z' })
  expect(line({ reporting_category: 'refund', gross: '-5.00', fee: '0.00', net: '-5.00' })).toMatchObject({ kind: 'refund', grossMinor: -500 })
  expect(line({ reporting_category: 'refund', gross: '5.00', fee: '0.00', net: '5.00' })).toMatchObject({ kind: null })
  expect(line({ reporting_category: 'dispute', gross: '-14.90', fee: '20', net: '-34.90' })).toMatchObject({ kind: null, category: 'dispute', feeMinor: 2_000 })
  expect(line({ currency: 'jpy', gross: '1490', fee: '47', net: '1443' })).toMatchObject({ grossMinor: 1_490 })
})

it.each([
  [{ gross: 'twelve' }, 'gross, fee or net is no amount'],
  [{ gross: '14.905' }, 'gross, fee or net is no amount'],
  [{ net: '14.90' }, 'gross − fee is not net'],
  [{ created: '23.11.2026' }, 'created is no time'],
  [{ created: '2026-13-23 09:00:00' }, 'created is no time'],
  [{ balance_transaction_id: '' }, 'balance_transaction_id is no id'],
  [{ reporting_category: 'Charge!' }, 'reporting_category is no category'],
  [{ currency: 'xxx' }, 'currency XXX is not known'],
])('says why it cannot read %j', (changes, why) => {
  expect(line(changes)).toBe(why)
})

it('proposes a correction that sums to zero for whatever does not agree', () => {
  for (const reason of breakReasons)
    for (const [oursMinor, theirsMinor] of [[1_490, 0], [0, 1_490], [0, -1_490], [1_490, 1_400], [47, 80]] as const) {
      const { words, entries } = correctionOf(reason, { oursMinor, theirsMinor, feeMinor: 47, provider: 'stripe' })
      expect(words).not.toBe('')
      expect(entries.reduce((sum, e) => sum + e.amountMinor, 0)).toBe(0)
    }
})

it('books a line as it says, so that what was posted of it before leaves the provider with nothing', () => {
  const clearing = (entries: readonly { account: string; amountMinor: number }[]): number => entries.filter((e) => e.account === 'provider_clearing:stripe').reduce((sum, e) => sum + e.amountMinor, 0)
  expect(clearing(correctionOf('wrong_amount', { oursMinor: 1_490, theirsMinor: 1_400, feeMinor: 47, provider: 'stripe' }).entries)).toBe(-1_490)
  expect(correctionOf('chargeback', { oursMinor: 0, theirsMinor: -1_490, feeMinor: 2_000, provider: 'stripe' }).entries).toEqual([
    { account: 'bank', amountMinor: -3_490 }, { account: 'fees', amountMinor: 2_000 }, { account: 'provider_clearing:stripe', amountMinor: 1_490 },
  ])
  expect(clearing(correctionOf('chargeback', { oursMinor: 0, theirsMinor: -1_490, feeMinor: 2_000, provider: 'stripe', stranger: true }).entries)).toBe(0)
})
