/** Chapter three, for each part: the store picks and packs, the carrier gives a label, the goods leave, the money is taken, the parcel arrives. */
import { CancellationScope, condition } from '@temporalio/workflow'
import { formatMinor } from '../../domain/money'
import { carriers, payments } from '../support/activities'
import { holdRemainder } from './payment'
import { show } from './show'
import { waiting, waits, type Thread, type Work } from './thread'
import { persist, waitOrEscalate } from './waits'

/** Follows one fulfillment to its end: delivered, or gone back because the node could not fill it. */
export async function deliver(thread: Thread, work: Work): Promise<void> {
  thread.chapter = 'fulfillment'
  await pickedAndPacked(thread, work)
  if (work.status === 'rejected') return
  await labelled(thread, work)
  await handedOver(thread, work)
  thread.chapter = 'delivery'
  await Promise.all([captured(thread, work), manifested(thread, work)])
  await Promise.all([delivered(thread, work), work.handOver!.remainder && holdRemainder(thread)])
}

async function pickedAndPacked(thread: Thread, work: Work): Promise<void> {
  const late = { kind: 'fulfillment.late', subject: work.fulfillmentId, owner: 'operations', summary: `${work.nodeId} has not packed in time` } as const
  await waitOrEscalate(thread, work, work.wait!, late, () => work.status !== 'released')
}

async function labelled(thread: Thread, work: Work): Promise<void> {
  const { handOverWithin } = thread.start.policy.store_work
  const then = waiting('hand_over', handOverWithin)
  const trouble = { kind: 'carrier.unavailable', subject: work.fulfillmentId, owner: 'operations', summary: `${work.carrier} gives no label` } as const
  const label = await persist(thread, work, { waitingOn: waiting('carrier', null), trouble }, () =>
    carriers(`Buy labels from ${work.carrier}`).buyLabels({ fulfillmentId: work.fulfillmentId, carrier: work.carrier!, then }),
  )
  work.trackingNumbers = label!.trackingNumbers
  work.service = label!.service
  waits(work, then)
  show(thread)
}

async function handedOver(thread: Thread, work: Work): Promise<void> {
  const late = { kind: 'fulfillment.not_handed_over', subject: work.fulfillmentId, owner: 'operations', summary: `${work.nodeId} has packed but not handed over` } as const
  await waitOrEscalate(thread, work, work.wait!, late, () => work.handOver !== undefined)
  show(thread, { status: 'shipped', carrier: work.carrier })
}

/** Taking the money follows the goods. If it fails now it is a case for finance, never an undo. */
async function captured(thread: Thread, work: Work): Promise<void> {
  const then = waiting('delivery', thread.start.policy.last_mile.deliverWithin)
  for (const [i, operationId] of work.handOver!.captures.entries()) {
    const amount = formatMinor(work.handOver!.capturesMinor[i]!, thread.start.currency)
    const trouble = { kind: 'payment.capture_failed', subject: operationId, owner: 'finance', summary: `The goods have left and ${amount} could not be captured` } as const
    const outcome = await persist(thread, work, { waitingOn: waiting('capture', null), trouble }, () =>
      payments(`Capture ${amount}`).capturePayment({ operationId, then, fulfillmentId: work.fulfillmentId }),
    )
    thread.payments[outcome!.paymentId] = outcome!.status
  }
  waits(work, work.deliveredAt === undefined ? then : null)
  show(thread)
}

async function manifested(thread: Thread, work: Work): Promise<void> {
  const trouble = { kind: 'carrier.manifest_failed', subject: work.fulfillmentId, owner: 'operations', summary: `${work.carrier} has not confirmed the hand-over` } as const
  await persist(thread, work, { waitingOn: waiting('carrier', null), trouble }, () => carriers(`Tell ${work.carrier} what it has been given`).manifest({ operationId: work.handOver!.manifest }))
}

async function delivered(thread: Thread, work: Work): Promise<void> {
  const late = { kind: 'shipment.overdue', subject: work.fulfillmentId, owner: 'support', summary: `${work.carrier} has not delivered in time: look for the parcel` } as const
  await waitOrEscalate(thread, work, waiting('delivery', thread.start.policy.last_mile.deliverWithin), late, () => work.deliveredAt !== undefined)
  show(thread, { status: 'delivered' })
}

/** Waits until a packed fulfillment has its labels, or will never get them. */
export const labelsOrEnd = (thread: Thread, work: Work): Promise<void> =>
  CancellationScope.nonCancellable(() => condition(() => work.trackingNumbers !== undefined || thread.cancelled !== undefined))
