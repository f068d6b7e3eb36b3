/** A payment provider with books of its own, in this process: the port as Stripe keeps its promises. What it is asked for twice under one key it does once, and stored failures stay, as does a no. */
import { randomUUID } from 'node:crypto'
import { ProviderFault, type OpenPayment, type PaymentProvider, type ProviderView } from '../../../activities/ports'
import type { CallFault } from './chance'

export interface BookedIntent {
  id: string
  orderRef: string
  paymentId: string
  amountMinor: number
  status: ProviderView['status']
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  multicapture: boolean
  heldOnly: boolean
  captures: Record<string, number>
  refunds: Record<string, string>
  method?: string
  expiresAt?: string
}

export interface ProviderStandIn extends PaymentProvider {
  books(): BookedIntent[]
  /** The bank, or the cardholder, decides about what waits for it. */
  decide(reference: string, outcome: 'authorized' | 'declined'): Promise<void>
  /** Her bank takes some of it back, or decides; the end is never undone. @returns it as it is now */
  dispute(reference: string, status: DisputeStatus): Dispute
}

type DisputeStatus = 'open' | 'won' | 'lost'
/** As it is: what is decided stays. */
interface Dispute {
  amountMinor: number
  status: DisputeStatus
}

export interface Outside {
  /** What becomes of the next call about this order. */
  fault(orderRef: string): CallFault
  /** Something has happened to a payment. */
  announce(intent: BookedIntent): Promise<void>
}

const holdMs = 7 * 86_400_000

export function providerStandIn(outside: Outside): ProviderStandIn {
  const intents = new Map<string, BookedIntent>()
  const disputes = new Map<string, Dispute>()
  const answers = new Map<string, { answer?: unknown; stored?: string }>()
  const need = (reference: string): BookedIntent => {
    const intent = intents.get(reference)
    if (!intent) throw new Error(`no such intent: ${reference}`)
    return intent
  }

  /** One call under a key: done once, whatever happens to its answer. */
  const under = async <Answer>(key: string, orderRef: string, effect: () => Promise<Answer>): Promise<Answer> => {
    const fault = outside.fault(orderRef)
    if (fault === 'not done') throw new ProviderFault('the connection was refused', 'none')
    if (fault === 'unknown, not done') throw new ProviderFault('no answer', 'unknown')
    const known = answers.get(key)
    const { stored, answer } = known ?? (fault === 'stored' ? { stored: '500' } : await effect().then((done) => ({ stored: undefined, answer: done }), noOf))
    answers.set(key, { stored, answer })
    if (fault === 'unknown, done') throw new ProviderFault('no answer', 'unknown')
    if (stored !== undefined) throw new ProviderFault(stored, 'stored')
    return answer as Answer
  }
  const changed = async (intent: BookedIntent, change: Partial<BookedIntent>): Promise<ProviderView> => {
    Object.assign(intent, change)
    await outside.announce({ ...intent })
    return viewOf(intent)
  }

  return {
    books: () => [...intents.values()],
    decide: async (reference, outcome) => {
      const intent = need(reference)
      if (intent.status === 'action_required' || intent.status === 'processing') await changed(intent, outcome === 'authorized' ? held(intent) : { status: 'declined' })
    },
    dispute: (reference, status) => {
      const known = disputes.get(reference) ?? { amountMinor: Math.min(500, need(reference).capturedMinor), status: 'open' }
      const now = known.status === 'open' ? { ...known, status } : known
      disputes.set(reference, now)
      return now
    },
    open: (ask) =>
      under(ask.key, ask.orderId, () => {
        const intent = opened(ask)
        intents.set(intent.id, intent)
        return Promise.resolve({ reference: intent.id, ...(ask.keepsMethod && { payer: ask.payer ?? `cus_${intent.id}` }) })
      }),
    authorize: ({ reference, key, paymentMethod, offSession }) => {
      const intent = need(reference)
      return under(key, intent.orderRef, async () => {
        if (intent.status !== 'opened') return viewOf(intent)
        if (paymentMethod === 'pm_wallet' && !intent.heldOnly) return changed(intent, { status: 'captured', authorizedMinor: intent.amountMinor, capturedMinor: intent.amountMinor, method: paymentMethod })
        if (paymentMethod === 'pm_declined' || paymentMethod === 'pm_wallet' || (paymentMethod === 'pm_once' && offSession)) return changed(intent, { status: 'declined' })
        const multicapture = intent.multicapture && paymentMethod === 'pm_card' // of the others a hold is captured once
        if (paymentMethod === 'pm_action') return changed(intent, { status: 'action_required', method: paymentMethod, multicapture })
        return changed(intent, { ...held(intent), method: paymentMethod, multicapture })
      })
    },
    capture: ({ reference, key, amountMinor, operationId, final }) => {
      const intent = need(reference)
      return under(key, intent.orderRef, async () => {
        if (intent.captures[operationId] !== undefined) return viewOf(intent)
        const capturedMinor = intent.capturedMinor + amountMinor
        if (intent.status !== 'authorized' || capturedMinor > intent.amountMinor) throw new ProviderFault(`capture: the payment is ${intent.status}`, 'stored')
        if (!final && !intent.multicapture) throw new Error('this hold is captured once')
        const isOver = final || capturedMinor === intent.amountMinor
        return changed(intent, { capturedMinor, captures: { ...intent.captures, [operationId]: amountMinor }, ...(isOver && { status: 'captured' as const }) })
      })
    },
    void: ({ reference, key }) => {
      const intent = need(reference)
      return under(key, intent.orderRef, async () => (intent.status === 'voided' || intent.status === 'captured' ? viewOf(intent) : changed(intent, { status: intent.capturedMinor > 0 ? 'captured' : 'voided' })))
    },
    refund: ({ reference, key, amountMinor, operationId }) => {
      const intent = need(reference)
      return under(key, intent.orderRef, async () => {
        const { amountMinor: takenMinor = 0, status = 'won' } = disputes.get(reference) ?? {}
        if (status === 'open') throw new ProviderFault('refund: charge_disputed', 'stored')
        if (intent.refundedMinor + amountMinor > intent.capturedMinor - (status === 'lost' ? takenMinor : 0)) throw new ProviderFault('refund: more than was captured and is there', 'stored')
        const refundReference = `re_${randomUUID()}`
        await changed(intent, { refundedMinor: intent.refundedMinor + amountMinor, refunds: { ...intent.refunds, [operationId]: refundReference } })
        return { refundReference }
      })
    },
    findRefund: ({ reference, operationId }) => {
      const refundReference = need(reference).refunds[operationId]
      return Promise.resolve(refundReference === undefined ? undefined : { refundReference })
    },
    lookUp: (reference) => Promise.resolve(viewOf(need(reference))),
  }
}

function noOf(cause: unknown): { stored: string; answer?: undefined } {
  if (cause instanceof ProviderFault) return { stored: cause.message }
  throw cause
}

const opened = ({ amountMinor, orderId, paymentId, inParts, heldOnly }: OpenPayment): BookedIntent => ({
  id: `pi_${randomUUID()}`, orderRef: orderId, paymentId, amountMinor, status: 'opened', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0, multicapture: inParts === true, heldOnly: heldOnly === true, captures: {}, refunds: {},
})

const held = (intent: BookedIntent): Partial<BookedIntent> => ({ status: 'authorized', authorizedMinor: intent.amountMinor, expiresAt: new Date(Date.now() + holdMs).toISOString() })

const viewOf = ({ id, status, authorizedMinor, capturedMinor, refundedMinor, multicapture, captures, method, expiresAt }: BookedIntent): ProviderView => ({
  reference: id,
  status,
  authorizedMinor,
  capturedMinor,
  refundedMinor,
  ...(status === 'authorized' && expiresAt !== undefined && { authorizationExpiresAt: expiresAt }),
  ...(status === 'declined' && { declineCode: 'generic_decline' }),
  ...(multicapture && { multicapture }),
  ...(method !== undefined && (status === 'authorized' || status === 'captured') && { methodInUse: method }),
  ...(Object.keys(captures).length > 0 && { captures }),
})

/** What its own messages carry: sums, and which captures, but neither until when money is held nor whether in parts. */
export function messageOf(intent: BookedIntent): Omit<ProviderView, 'authorizationExpiresAt' | 'multicapture'> {
  const { authorizationExpiresAt: _until, multicapture: _parts, ...told } = viewOf(intent)
  return told
}
