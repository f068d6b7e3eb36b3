/** Chapter one: the money of every tender is held before any goods move; or it is declined; or it is given up at its deadline. */
import { isSettled } from '../../domain/payment/view'
import { formatMinor } from '../../domain/money'
import type { TenderStart } from '../../domain/messages'
import { payments } from '../support/activities'
import { Ending } from '../support/failures'
import { waiting, type Thread } from './thread'
import { persist, waitFor } from './waits'

/** The deadline ends waiting; an authorisation that succeeds after it counts. @throws Ending `payment.declined`, `payment.not_settled` */
export async function settlePayment(thread: Thread): Promise<void> {
  thread.chapter = 'payment'
  const deadline = thread.whole.wait?.deadline ?? null
  for (const tender of thread.start.tenders) {
    if (tender.authorizeOperationId === undefined) thread.payments[tender.paymentId] = 'captured'
    else await authorize(thread, { ...tender, operationId: tender.authorizeOperationId }, deadline)
  }
}

async function authorize(thread: Thread, tender: TenderStart & { operationId: string }, deadline: string | null): Promise<void> {
  const amount = formatMinor(tender.amountMinor, thread.start.currency)
  const until = deadline === null ? undefined : Date.parse(deadline)
  const pending = { ...waiting('customer_action', null), deadline }
  const outcome = await persist(
    thread,
    thread.whole,
    {
      waitingOn: { ...waiting('payment_provider', null), deadline },
      trouble: { kind: 'payment.provider_unavailable', subject: tender.operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} is not authorised` },
      until,
    },
    () => payments(`Authorise ${amount}`).authorizePayment({ operationId: tender.operationId, ifPending: pending }),
  )
  if (outcome) thread.payments[tender.paymentId] = outcome.status
  if (outcome?.status === 'action_required' || outcome?.status === 'processing') thread.whole.rowWait = pending
  const settled = (): boolean => isSettled(thread.payments[tender.paymentId] ?? 'opened')
  if (outcome === undefined || (await waitFor(thread, thread.whole, pending, settled)) === 'too late') throw new Ending('payment.not_settled')
  if (thread.payments[tender.paymentId] === 'declined' || thread.payments[tender.paymentId] === 'voided') throw new Ending('payment.declined')
}
