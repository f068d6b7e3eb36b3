/** Whatever happens to an order's money, each journal sums to zero, and what is posted is what happened. */
import fc from 'fast-check'
import { captureJournal, failedRefundJournal, givenAgainJournal, moneyAccount, refundJournal, saleJournal, type Journal } from '../../../domain/payment/ledger'
import { holds } from '../../support/property'

const minor = fc.nat(10_000_000)
const sum = (journal: Journal, ...accounts: string[]): number =>
  journal.entries.filter((e) => accounts.length === 0 || accounts.includes(e.account)).reduce((total, e) => total + e.amountMinor, 0)

it('posts a sale for what it is worth: owed by the customer or by the channel, and zero together', () => {
  const parts = fc.record({ goodsMinor: minor, discountMinor: minor, taxMinor: minor, shippingMinor: minor })
  holds(
    fc.property(parts, fc.double({ min: 0, max: 1, noNaN: true }), (p, portion) => {
      const worthMinor = p.goodsMinor - p.discountMinor + p.taxMinor + p.shippingMinor
      const elsewhereMinor = Math.floor(Math.max(0, worthMinor) * portion)
      const journal = saleJournal({ fulfillmentId: 'f1', what: '1 × X left dc-01', parts: p, elsewhereMinor })
      expect(sum(journal)).toBe(0)
      expect([sum(journal, 'receivable', 'elsewhere'), sum(journal, 'elsewhere')]).toEqual([worthMinor, elsewhereMinor])
      expect([-sum(journal, 'revenue'), sum(journal, 'discount'), -sum(journal, 'tax'), -sum(journal, 'shipping')].map((m) => m + 0)).toEqual([p.goodsMinor, p.discountMinor, p.taxMinor, p.shippingMinor])
    }),
  )
})

it('gives back first what no goods had left for', () => {
  holds(
    fc.property(minor, fc.integer({ min: -1_000_000, max: 10_000_000 }), (amountMinor, owedMinor) => {
      const journal = refundJournal({ paymentId: 'p1', provider: 'stripe', amountMinor, refundedMinor: amountMinor, owedMinor })
      expect(sum(journal)).toBe(0)
      expect(-sum(journal, 'provider_clearing:stripe') + 0).toBe(amountMinor)
      expect(sum(journal, 'receivable')).toBe(Math.min(amountMinor, Math.max(0, owedMinor)))
    }),
  )
})

it('names a journal after the running total, so that the same news is the same journal and more news another', () => {
  const taken = { paymentId: 'p1', provider: 'stripe' }
  expect(captureJournal({ ...taken, amountMinor: 300, capturedMinor: 300 })).toMatchObject({
    journalId: 'capture:p1:300',
    entries: [{ account: 'provider_clearing:stripe', amountMinor: 300 }, { account: 'receivable', amountMinor: -300 }],
  })
  expect(captureJournal({ ...taken, amountMinor: 200, capturedMinor: 500 }).journalId).toBe('capture:p1:500')
})

it('posts nothing for what is worth nothing', () => {
  expect(saleJournal({ fulfillmentId: 'f1', what: 'sent again', parts: { goodsMinor: 0, discountMinor: 0, taxMinor: 0, shippingMinor: 0 }, elsewhereMinor: 0 }).entries).toEqual([])
})

it('owes a refund that came back until it is given another way, and then nothing', () => {
  const way = fc.constantFrom({ way: 'store_credit' as const }, { way: 'bank_transfer' as const, transferReference: 'RF18', sentBy: 'Anna' })
  holds(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), way, (amountMinor, by) => {
      const [back, again] = [failedRefundJournal({ provider: 'stripe', refundReference: 're_1', amountMinor }), givenAgainJournal({ refundReference: 're_1', amountMinor, by })]
      const byPayment = refundJournal({ paymentId: 'p2', provider: 'stripe', amountMinor, refundedMinor: amountMinor, owedMinor: 0, parts: { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, againMinor: amountMinor } })
      for (const given of [again, byPayment]) expect([sum(given), sum(back, 'refunds_owed') + sum(given, 'refunds_owed')]).toEqual([0, 0])
    }),
  )
})

it('knows where money stands that each kind of tender took', () => {
  expect(['stripe', 'paid_elsewhere', 'gift_card', 'store_credit'].map(moneyAccount)).toEqual(['provider_clearing:stripe', 'elsewhere', 'gift_card_liability', 'store_credit_liability'])
})
