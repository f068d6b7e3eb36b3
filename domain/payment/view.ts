/**
 * What we know of a payment, and how news is merged into it. Provider answers and webhooks come late, twice and in any order;
 * the merge is a join (commutative, associative, idempotent), so every order of the same news ends in the same state.
 */
export const paymentStates = ['opened', 'action_required', 'processing', 'declined', 'authorized', 'voided', 'captured'] as const
export type PaymentState = (typeof paymentStates)[number]

export interface PaymentView {
  status: PaymentState
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
}

/** How far along a state is. A void after a capture only lets go of what was not taken, so captured outranks voided. */
const rank = (state: PaymentState): number => paymentStates.indexOf(state)

export function mergeView(known: PaymentView, news: PaymentView): PaymentView {
  const capturedMinor = Math.max(known.capturedMinor, news.capturedMinor)
  return {
    status: rank(news.status) > rank(known.status) ? news.status : known.status,
    authorizedMinor: Math.max(known.authorizedMinor, news.authorizedMinor, capturedMinor),
    capturedMinor,
    refundedMinor: Math.max(known.refundedMinor, news.refundedMinor),
  }
}

/** What is known already covers the news. As knowledge only grows, this stays true once it is. */
export function addsNothing(known: PaymentView, news: PaymentView): boolean {
  const merged = mergeView(known, news)
  return (['status', 'authorizedMinor', 'capturedMinor', 'refundedMinor'] as const).every((field) => merged[field] === known[field])
}

/** The question "may the goods leave on this payment?" */
export const holdsMoney = (state: PaymentState): boolean => state === 'authorized' || state === 'captured'

/** Nothing more will come of the attempt to authorise. */
export const isSettled = (state: PaymentState): boolean => rank(state) >= rank('declined')
