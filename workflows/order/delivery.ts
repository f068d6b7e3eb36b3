/** Chapter three, for each part: the store picks and packs, the carrier gives a label, the goods leave, the money is taken, the parcel arrives. */
import { CancellationScope, condition } from '@temporalio/workflow'
import { formatMinor } from '../../domain/money'
import { carriers, payments, step } from '../support/activities'
import { holdRemainder } from './payment'
import { show } from './show'
import { newWorks } from './sourcing'
import { waiting, waits, type Thread, type Work } from './thread'
import { persist, waitFor, waitOrEscalate } from './waits'

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
  const begun = (): boolean => work.status !== 'released'
  const movesOn = thread.start.policy.promise.whenLate.pick === 're_source'
  if (movesOn && (await waitFor(thread, work, work.wait!, begun)) === 'too late' && (await movedOn(thread, work))) return
  await waitOrEscalate(thread, work, work.wait!, late, begun)
}

/** The next best node gets what this one has not begun. @returns false when it stays, because somebody has begun or nobody else has it. */
const movedOn = (thread: Thread, work: Work): Promise<boolean> =>
  thread.lock(async () => {
    if (work.status !== 'released') return false
    const { acceptWithin } = thread.start.policy.store_work
    const ifSourced = waiting('picking', acceptWithin)
    const moved = await step(`${work.nodeId} is late: give it to the next best`).moveLateWork({ fulfillmentId: work.fulfillmentId, dueAt: ifSourced.deadline!, ifSourced })
    if (moved.outcome === 'stays') return false
    work.status = 'rejected'
    waits(work, null)
    const works = newWorks(thread, moved.fulfillments)
    thread.arrivals.push(...works)
    show(thread, { nodeId: works[0]!.nodeId })
    return true
  })

async function labelled(thread: Thread, work: Work): Promise<void> {
  const { handOverWithin } = thread.start.policy.store_work
  const patience = waiting('hand_over', handOverWithin)
  const { handOverBy = patience.deadline } = work.milestones ?? {}
  const then = { ...patience, deadline: [patience.deadline!, handOverBy!].sort()[0]! }
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
