/** The shop's balance at the provider: every change of it is a transaction, with the fee that was kept. */
import { newId, nowSeconds, type BalanceTransaction, type Charge, type Provider } from './records'

/** 1.5 % and 25 minor units, as for a card of the same region. */
const captureFeeMinor = (amountMinor: number): number => Math.round((amountMinor * 15) / 1_000) + 25

export const creditCapture = (provider: Provider, charge: Charge, amountMinor: number): void =>
  credit(provider, charge, { category: 'charge', source: charge.id, grossMinor: amountMinor, feeMinor: captureFeeMinor(amountMinor) })

/** Changes the shop's balance. */
export function credit(provider: Provider, charge: Charge, change: Pick<BalanceTransaction, 'category' | 'source' | 'grossMinor' | 'feeMinor'>): void {
  const description = charge.description ?? ''
  const transaction: BalanceTransaction = { id: newId('txn'), createdSeconds: nowSeconds(), ...change, currency: charge.currency, charge: charge.id, intent: charge.intent, description }
  provider.books.put('transaction', transaction)
  const waiting = change.category === 'charge' ? provider.breaks.waiting.shift() : undefined
  if (waiting) provider.breaks.of.set(transaction.id, waiting)
}
