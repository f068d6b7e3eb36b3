/** A payment link as both sides see it: what is asked of the provider, and what it says has become of it. */

export interface OpenLink {
  key: string
  linkId: string
  amountMinor: number
  currency: string
  /** What its payment will be about. */
  orderId: string
  paymentId: string
  operationId: string
  /** Shown to the customer. No personal data. */
  description: string
  expiresAt: string
  /** Where she goes when she has paid. */
  returnTo: string
}

export interface LinkView {
  reference: string
  status: 'open' | 'complete' | 'expired'
  url: string | null
  /** Of a complete one: the payment behind it, whose money is held, taken, or on its way. */
  payment?: { reference: string; payer?: string }
}

/** The provider has answered, and the answer is no: asking again changes nothing. */
export class LinkRefusal extends Error {
  override name = 'LinkRefusal'
}

/** Why a paid draft could not become an order as it was quoted. What has been paid for is placed all the same, without what can no longer be kept. */
export interface PlacedAnyhow {
  /** Its stock is gone: it is sourced as what was sold already. */
  sourcedLater?: true
  /** Its number was given to another order: it goes by the draft's own. */
  ownNumber?: true
}

const outOfStock: readonly string[] = ['stock.short', 'quote.gone', 'quote.expired', 'quote.used', 'quote.mismatch', 'quote.unknown', 'draft.quote_expired']

/** What to do without, after a refusal; undefined: nothing that would help. */
export function placedWithout(code: string, before: PlacedAnyhow): PlacedAnyhow | undefined {
  if (outOfStock.includes(code) && !before.sourcedLater) return { ...before, sourcedLater: true }
  if (code === 'order.duplicate' && !before.ownNumber) return { ...before, ownNumber: true }
  return undefined
}
