/** What a failed call to Stripe says about its effect: surely none, unknown, or an answer that is stored under its key. */
import Stripe from 'stripe'
import { ProviderFault } from '../../activities/ports'

/** Errors of the network in which not one byte of the request has left this machine. */
const nothingSent: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']

/** Refused for who asks, or how often, before anything is begun. Any other answer stays: one that says no is given again under its key when it would be a yes. */
const notBegun: readonly number[] = [401, 403, 429]

/** @param what the call, for the message. An error that is not the client's is a bug of ours and comes back as it is. */
export function faultOf(what: string, error: unknown): Error {
  if (!(error instanceof Stripe.errors.StripeError)) return error as Error
  const status = error.statusCode === undefined ? '' : ` ${error.statusCode}`
  return new ProviderFault(`${what}:${status} ${error.code ?? error.type}: ${reasonOf(error)}`, effectOf(error), { cause: error })
}

function effectOf(error: Stripe.errors.StripeError): ProviderFault['effect'] {
  if (error instanceof Stripe.errors.StripeConnectionError) return nothingSent.includes(networkCode(error)) ? 'none' : 'unknown'
  // The same key went out before with other parameters: that earlier call may have done something.
  if (error instanceof Stripe.errors.StripeIdempotencyError) return 'unknown'
  const { statusCode } = error
  if (statusCode === undefined || statusCode === 409) return 'unknown'
  return notBegun.includes(statusCode) ? 'none' : 'stored'
}

/** The error code of the network below the client's own error. */
function networkCode(error: Stripe.errors.StripeError): string {
  const detail: unknown = error.detail
  return typeof detail === 'object' && detail !== null && 'code' in detail ? String(detail.code) : ''
}

function reasonOf(error: Stripe.errors.StripeError): string {
  const code = error instanceof Stripe.errors.StripeConnectionError ? networkCode(error) : ''
  return code === '' ? error.message : `${error.message} (${code})`
}
