/**
 * Customers at the provider, and the payment methods they keep. A method that was used for a payment can be charged again only when that payment
 * saved it with a customer, and then only for that customer: what the real provider demands of whoever charges while nobody is there.
 */
import { invalidRequest } from './api-error'
import { newId, nowSeconds, type Customer, type Intent, type Method, type Provider } from './records'
import { testMethod } from './test-methods'

export function createCustomer(provider: Provider, ask: Pick<Customer, 'metadata' | 'description'>): Customer {
  const customer: Customer = { ...ask, id: newId('cus', 14), createdSeconds: nowSeconds() }
  provider.books.put('customer', customer)
  return customer
}

/** @throws ApiError 400 for a customer nobody created */
export function needCustomer(provider: Provider, id: string): Customer {
  const customer = provider.books.get('customer', id)
  if (!customer) throw invalidRequest(`No such customer: '${id}'`, { code: 'resource_missing', param: 'customer' })
  return customer
}

/** The method an intent is to be confirmed with: a test name stands for a card typed in just now, an id for one that was used before. */
export function methodFor(provider: Provider, name: string, intent: Intent): Method {
  const known = provider.books.get('method', name)
  if (!known && !testMethod(name)) throw invalidRequest(`No such PaymentMethod: '${name}'`, { code: 'resource_missing', param: 'payment_method' })
  if (!known) return { id: newId('pm'), behavesAs: name }
  if (known.customer === undefined) throw invalidRequest(usedUp, { param: 'payment_method' })
  if (known.customer !== intent.customer)
    throw invalidRequest(`The customer does not have a payment method with the ID ${known.id}. The payment method must be attached to the customer.`, {
      code: 'resource_missing',
      param: 'payment_method',
    })
  return known
}

/** The method has paid: it stays with the customer when the payment said so, and is used up otherwise. */
export function keepMethod(provider: Provider, { methodId, paymentMethod, customer, setupFutureUsage }: Intent): void {
  if (methodId === undefined || paymentMethod === undefined || provider.books.get('method', methodId)) return
  provider.books.put('method', { id: methodId, behavesAs: paymentMethod, ...(setupFutureUsage && customer ? { customer } : {}) })
}

export const customerJson = (customer: Customer): object => ({
  id: customer.id,
  object: 'customer',
  address: null,
  balance: 0,
  created: customer.createdSeconds,
  currency: null,
  default_source: null,
  delinquent: false,
  description: customer.description ?? null,
  discount: null,
  email: null,
  livemode: false,
  metadata: customer.metadata,
  name: null,
  phone: null,
  shipping: null,
})

const usedUp =
  'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.'
