/** Other ways of paying that customers give for what of their orders is not held any more; and by which way a tender is paid since. */
import { uuidv7 } from 'uuidv7'
import { refuse } from '../domain/refusals'
import { row, run, type Db, type Transaction } from './connection'
import { giftCardByCode, storeCreditOf } from './stored-value'

/** A card, by the provider's token; a gift card, by its code; or what the customer has with us. */
export interface GivenTender {
  tenderId?: string
  provider: 'stripe' | 'gift_card' | 'store_credit'
  paymentMethod?: string
}

export interface GivenMethod {
  givenId: string
  orderId: string
  tenderId: string | null
  provider: string
}

/** Kept before the order is asked: tokens and codes are no words for its workflow. What stands for a gift card is its account. @throws `tender.unknown` */
export async function keepGivenMethod(db: Db, orderId: string, tender: GivenTender, actor: string): Promise<string> {
  const givenId = uuidv7()
  const method = tender.provider === 'stripe' ? tender.paymentMethod! : await accountOf(db, orderId, tender)
  await run(db, 'INSERT INTO given_methods (given_id, order_id, tender_id, provider, payment_method, actor) VALUES (?, ?, ?, ?, ?, ?)', [givenId, orderId, tender.tenderId ?? null, tender.provider, method, actor])
  return givenId
}

async function accountOf(db: Db, orderId: string, { provider, paymentMethod = '' }: GivenTender): Promise<string> {
  const { currency, customer } = (await row<{ currency: string; customer: string | null }>(db, 'SELECT currency, customer_ref_hmac AS customer FROM orders WHERE order_id = ?', [orderId]))!
  const isCard = provider === 'gift_card'
  const account = isCard ? await giftCardByCode(db, paymentMethod) : customer === null ? undefined : await storeCreditOf(db, customer, currency)
  const pointer = isCard ? '/paymentMethod' : '/provider'
  if (!account) throw refuse('tender.unknown', {}, undefined, [{ pointer, message: isCard ? 'No gift card has this code' : `The customer has no store credit in ${currency}` }])
  if (account.currency !== currency) throw refuse('tender.unknown', {}, undefined, [{ pointer, message: `This gift card is in ${account.currency}, the order in ${currency}` }])
  return account.accountId
}

export const givenMethod = async (tx: Transaction, givenId: string): Promise<GivenMethod> =>
  (await row<GivenMethod>(tx, 'SELECT given_id AS "givenId", order_id AS "orderId", tender_id AS "tenderId", provider FROM given_methods WHERE given_id = ?', [givenId]))!

/** By which way the tender of payment `p` is paid now: the last that was given and the bank agreed to, else as it was first. */
export const methodNow = (p: string, only = ''): string =>
  `SELECT provider, coalesce(saved_method, payment_method) AS method, payer FROM payments m WHERE m.order_id = ${p}.order_id AND m.tender_id = ${p}.tender_id AND (m.part = 1 OR (m.given_id IS NOT NULL AND m.authorized_minor > 0)) ${only} ORDER BY m.part DESC LIMIT 1`
