/** The provider's own names for test payment methods, and what each does when it is asked for money. */
import type { PaymentFailure } from './records'

export interface TestMethod {
  type: 'card' | 'us_bank_account'
  brand?: string
  last4: string
  outcome: 'approved' | 'declined' | 'action_required' | 'processing'
  /** Why it is declined, at once or after processing. */
  failure?: PaymentFailure
  /** A processing method that never decides by itself. */
  undecided?: boolean
}

/** @returns undefined for a name the provider does not know. `pm_card_visa_chargeDeclined…` and `pm_card_chargeDeclined…` are the same. */
export function testMethod(name: string): TestMethod | undefined {
  return methods.get(name) ?? methods.get(name.replace(/^pm_card_visa_charge/, 'pm_card_charge')) ?? cardOfCountry(name)
}

const cardOfCountry = (name: string): TestMethod | undefined => (/^pm_card_[a-z]{2}$/.test(name) ? card('visa', '0000') : undefined)

const card = (brand: string, last4: string): TestMethod => ({ type: 'card', brand, last4, outcome: 'approved' })

const failing = (code: string, declineCode: string, message: string): PaymentFailure => ({ type: 'card_error', code, declineCode, message })

const declined = (last4: string, code: string, declineCode: string, message = 'Your card was declined.'): TestMethod => ({
  ...card('visa', last4),
  outcome: 'declined',
  failure: failing(code, declineCode, message),
})

const bank = (last4: string, more: Partial<TestMethod> = {}): TestMethod => ({ type: 'us_bank_account', last4, outcome: 'processing', ...more })

const bankFailure = (code: string, message: string): Partial<TestMethod> => ({ failure: { type: 'invalid_request_error', code, message } })

/** The plain refusal of a card, also what the `decline` fault says. */
export const genericDecline = failing('card_declined', 'generic_decline', 'Your card was declined.')

/** A card whose bank asks for the cardholder, when nobody is there to be asked. */
export const authenticationRequired = failing(
  'authentication_required',
  'authentication_required',
  'Your card was declined. This transaction requires authentication.',
)

const methods = new Map<string, TestMethod>([
  ['pm_card_visa', card('visa', '4242')],
  ['pm_card_visa_debit', card('visa', '5556')],
  ['pm_card_mastercard', card('mastercard', '4444')],
  ['pm_card_mastercard_debit', card('mastercard', '8210')],
  ['pm_card_mastercard_prepaid', card('mastercard', '5100')],
  ['pm_card_amex', card('amex', '8431')],
  ['pm_card_discover', card('discover', '9424')],
  ['pm_card_diners', card('diners', '0004')],
  ['pm_card_jcb', card('jcb', '0505')],
  ['pm_card_unionpay', card('unionpay', '0005')],
  ['pm_card_threeDSecureOptional', card('visa', '3055')],
  ['pm_card_chargeDeclined', declined('0002', 'card_declined', 'generic_decline')],
  ['pm_card_chargeCustomerFail', declined('0341', 'card_declined', 'generic_decline')],
  ['pm_card_chargeDeclinedInsufficientFunds', declined('9995', 'card_declined', 'insufficient_funds', 'Your card has insufficient funds.')],
  ['pm_card_chargeDeclinedLostCard', declined('9987', 'card_declined', 'lost_card')],
  ['pm_card_chargeDeclinedStolenCard', declined('9979', 'card_declined', 'stolen_card')],
  ['pm_card_chargeDeclinedFraudulent', declined('0019', 'card_declined', 'fraudulent')],
  ['pm_card_radarBlock', declined('0019', 'card_declined', 'fraudulent')],
  ['pm_card_chargeDeclinedVelocityLimitExceeded', declined('6975', 'card_declined', 'card_velocity_exceeded')],
  ['pm_card_chargeDeclinedExpiredCard', declined('0069', 'expired_card', 'expired_card', 'Your card has expired.')],
  ['pm_card_chargeDeclinedIncorrectCvc', declined('0127', 'incorrect_cvc', 'incorrect_cvc', "Your card's security code is incorrect.")],
  [
    'pm_card_chargeDeclinedProcessingError',
    declined('0119', 'processing_error', 'processing_error', 'An error occurred while processing your card. Try again in a little bit.'),
  ],
  ['pm_card_authenticationRequired', { ...card('visa', '3184'), outcome: 'action_required' }],
  ['pm_card_threeDSecure2Required', { ...card('visa', '3220'), outcome: 'action_required' }],
  ['pm_card_threeDSecureRequired', { ...card('visa', '3063'), outcome: 'action_required' }],
  ['pm_usBankAccount_success', bank('6789')],
  ['pm_usBankAccount_processing', bank('0111', { undecided: true })],
  ['pm_usBankAccount_accountClosed', bank('1113', bankFailure('account_closed', 'The bank account has been closed.'))],
  ['pm_usBankAccount_noAccount', bank('1116', bankFailure('no_account', 'The bank account could not be located.'))],
  ['pm_usBankAccount_insufficientFunds', bank('2227', bankFailure('insufficient_funds', 'The account has insufficient funds.'))],
  ['pm_usBankAccount_debitNotAuthorized', bank('3335', bankFailure('debit_not_authorized', 'The customer has not authorized this debit.'))],
])
