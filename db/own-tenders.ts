/** Gift cards and store credit that a new order is paid with: found by what the channel says of them, and held in the transaction that accepts the order, so that nobody is told yes for value that is gone. */
import { uuidv7 } from 'uuidv7'
import type { NewOrder, NewTender } from '../domain/order/new-order'
import { inOrderOfUse, isStoredValue } from '../domain/payment/stored-value'
import { refuse } from '../domain/refusals'
import type { Transaction } from './connection'
import { customerRefHmac } from './customer-ref'
import { giftCardByCode, holdValue, openHold, storeCreditOf, type ValueAccount } from './stored-value'

/** A tender as the row it becomes. One to be authorised has its operation from the beginning; of one taken elsewhere nothing is left to do. */
export interface PaymentToInsert extends NewTender {
  paymentId: string
  operationId: string | null
  reference: string | null
  status: 'captured' | 'opened'
  takenMinor: number
}

/** In their order of use. What stands for a gift card from here on is its account, never its code. @throws `tender.unknown` */
export async function paymentsOf(tx: Transaction, order: NewOrder, secret: string): Promise<PaymentToInsert[]> {
  const tenders: NewTender[] = []
  for (const [i, tender] of order.tenders.entries()) tenders.push(isStoredValue(tender.provider) ? { ...tender, paymentMethod: await accountOf(tx, order, i, secret) } : tender)
  return inOrderOfUse(tenders).map((tender) => {
    const [paymentId, paid] = [uuidv7(), tender.provider === 'paid_elsewhere']
    return { ...tender, paymentId, operationId: paid ? null : uuidv7(), reference: isStoredValue(tender.provider) ? paymentId : null, status: paid ? 'captured' : 'opened', takenMinor: paid ? tender.amountMinor : 0 }
  })
}

async function accountOf(tx: Transaction, { tenders, currency, customer }: NewOrder, i: number, secret: string): Promise<string> {
  const { provider, paymentMethod = '', tenderId } = tenders[i]!
  const account = provider === 'gift_card' ? await giftCardByCode(tx, paymentMethod) : await creditOf(tx, customer?.customerRef, currency, secret)
  const pointer = provider === 'gift_card' ? `/tenders/${i}/paymentMethod` : '/customer/customerRef'
  if (!account) throw refuse('tender.unknown', { tenderId }, undefined, [{ pointer, message: provider === 'gift_card' ? 'No gift card has this code' : `This customer has no store credit in ${currency}` }])
  if (account.currency !== currency) throw refuse('tender.unknown', { tenderId }, undefined, [{ pointer, message: `This gift card is in ${account.currency}, the order in ${currency}` }])
  return account.accountId
}

const creditOf = async (tx: Transaction, customerRef: string | undefined, currency: string, secret: string): Promise<ValueAccount | undefined> =>
  customerRef === undefined ? undefined : storeCreditOf(tx, customerRefHmac(customerRef, secret), currency)

/** @throws `tender.declined` where an account has expired, or not as much left */
export async function holdOwn(tx: Transaction, payments: readonly PaymentToInsert[], currency: string): Promise<void> {
  for (const { paymentId, tenderId, provider, paymentMethod, amountMinor } of payments) {
    if (!isStoredValue(provider)) continue
    await openHold(tx, { reference: paymentId, currency, amountMinor })
    const { status, declineCode } = await holdValue(tx, { reference: paymentId, accountId: paymentMethod! })
    if (status === 'declined') throw refuse('tender.declined', { tenderId, reason: declineCode })
  }
}
