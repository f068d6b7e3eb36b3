/** Chapter three, for each part that is sent: the node picks and packs, the carrier gives a label, the goods leave, the money is taken, the parcel arrives. */
import { CancellationScope } from '@temporalio/workflow'
import { formatMinor } from '../../domain/money'
import { carriers, payments, step } from '../support/activities'
import { isoNow } from '../support/clock'
import { refusalIn } from '../support/failures'
import { condition } from '../support/turns'
import { giveBackLabels } from './labels'
import { holdRemainder } from './payment'
import { show } from './show'
import { newWorks } from './sourcing'
import { waiting, waits, type Thread, type Work } from './thread'
import { persist, waitFor, waitOrEscalate } from './waits'

/** Delivered, or gone back because the node could not fill it. */
export async function deliver(thread: Thread, work: Work): Promise<void> {
  await prepared(thread, work)
  if (wentBack(work)) return
  const strays = await labelled(thread, work)
  await Promise.all([onItsWay(thread, work), strays && giveBackLabels(thread, work, work.fulfillmentId, true)])
}

async function onItsWay(thread: Thread, work: Work): Promise<void> {
  if ((await handedOver(thread, work)) === 'not any more') return giveBackLabels(thread, work, work.fulfillmentId, false)
  thread.chapter = 'delivery'
  await Promise.all([captured(thread, work), work.manifest !== undefined && manifested(thread, work)])
  await Promise.all([delivered(thread, work), work.gone!.remainder && holdRemainder(thread)])
}

/** Sent to the node where the customer fetches it, which receives it as a part of its own. */
export async function transfer(thread: Thread, work: Work): Promise<void> {
  await prepared(thread, work)
  if (wentBack(work)) return
  await labelled(thread, work)
  if ((await handedOver(thread, work)) === 'not any more') return giveBackLabels(thread, work, work.fulfillmentId, false)
  thread.chapter = 'transfer'
  await manifested(thread, work)
  const late = { kind: 'transfer.overdue', subject: work.fulfillmentId, owner: 'operations', summary: `What ${work.nodeId} sent to the other node has not been received in time: look for the parcel` } as const
  await waitOrEscalate(thread, work, work.wait!, late, () => work.deliveredAt !== undefined)
}

/** The node could not fill it, or somebody else does. */
export const wentBack = (work: Work): boolean => work.status === 'rejected' || work.status === 'cancelled'

/** Picked and packed, or put aside at the counter; or gone back because the node could not fill it. */
export async function prepared(thread: Thread, work: Work): Promise<void> {
  thread.chapter = 'fulfillment'
  const late = { kind: 'fulfillment.late', subject: work.fulfillmentId, owner: 'operations', summary: `${work.nodeId} has not packed in time` } as const
  const begun = (): boolean => work.status !== 'released'
  const { pick, then } = thread.start.policy.promise.whenLate
  if ((pick === 're_source' || then === 'new_promise') && (await waitFor(thread, work, work.wait!, begun)) === 'too late') {
    if (pick === 're_source' && (await movedOn(thread, work))) return
    if (then === 'new_promise') await toldAnew(thread, work, 'pick')
  }
  await waitOrEscalate(thread, work, work.wait!, late, begun)
}

/** The customer is told another date; the node has until then what that leaves it. */
async function toldAnew(thread: Thread, work: Work, milestone: 'pick' | 'hand_over'): Promise<void> {
  const told = await step('Tell a new date').renewPromise({ fulfillmentId: work.fulfillmentId, channel: thread.start.channel, milestone })
  if (told.outcome === 'stays') return
  work.milestones = told.milestones
  const by = milestone === 'pick' ? told.milestones?.pickBy : told.milestones?.handOverBy
  if (by !== undefined && by > isoNow()) work.wait = { ...work.wait!, deadline: by }
}

/** The next best node gets what this one has not begun. @returns false when it stays, because somebody has begun or nobody else has it. */
const movedOn = (thread: Thread, work: Work): Promise<boolean> =>
  thread.lock(async () => {
    if (work.status !== 'released') return false
    const { acceptWithin } = thread.start.policy.store_work
    const ifSourced = waiting('picking', acceptWithin)
    const moved = await step(`${work.nodeId} is late: give it to the next best`).moveLateWork({ fulfillmentId: work.fulfillmentId, channel: thread.start.channel, dueAt: ifSourced.deadline!, ifSourced })
    if (moved.outcome === 'stays') return false
    work.status = 'rejected'
    waits(work, null)
    const works = newWorks(thread, moved.fulfillments)
    thread.arrivals.push(...works)
    show(thread, { nodeId: works[0]!.nodeId })
    return true
  })

/** @returns whether another carrier may have sold labels that are not used. */
async function labelled(thread: Thread, work: Work): Promise<boolean> {
  const { handOverWithin } = thread.start.policy.store_work
  const patience = waiting('hand_over', handOverWithin)
  const { handOverBy = patience.deadline } = work.milestones ?? {}
  const then = { ...patience, deadline: [patience.deadline!, handOverBy!].sort()[0]! }
  const trouble = { kind: 'carrier.unavailable', subject: work.fulfillmentId, owner: 'operations', summary: 'No carrier gives a label' } as const
  const label = await persist(thread, work, { waitingOn: waiting('carrier', null), trouble }, () =>
    carriers('Choose a carrier and buy labels').buyLabels({ fulfillmentId: work.fulfillmentId, then }),
  ).catch((cause: unknown) => notWanted(work, cause))
  if (!label) return false
  work.carrier = label.carrier
  work.trackingNumbers = label.trackingNumbers
  work.service = label.service
  if (!wentBack(work)) waits(work, then)
  show(thread)
  return label.strays === true
}

/** The rows know before the story that the parcel was cancelled: word of it is on its way. */
async function notWanted(work: Work, cause: unknown): Promise<undefined> {
  if (refusalIn(cause)?.type !== 'fulfillment.state') throw cause
  await condition(() => wentBack(work))
}

/** Until the goods have left, or what stands packed is cancelled. */
async function handedOver(thread: Thread, work: Work): Promise<'gone' | 'not any more'> {
  const gone = (): boolean => work.gone !== undefined || wentBack(work)
  const tellsAnew = thread.start.policy.promise.whenLate.then === 'new_promise'
  if (tellsAnew && (await waitFor(thread, work, work.wait!, gone)) === 'too late') await toldAnew(thread, work, 'hand_over')
  const late = { kind: 'fulfillment.not_handed_over', subject: work.fulfillmentId, owner: 'operations', summary: `${work.nodeId} has packed but not handed over` } as const
  await waitOrEscalate(thread, work, work.wait!, late, gone)
  if (wentBack(work)) return 'not any more'
  show(thread, { status: 'shipped', carrier: work.carrier })
  return 'gone'
}

/** Taking the money follows the goods. If it fails now it is a case for finance, never an undo. */
export async function captured(thread: Thread, work: Work): Promise<void> {
  const then = waiting('delivery', thread.start.policy.last_mile.deliverWithin)
  for (const [i, operationId] of work.gone!.captures.entries()) {
    const amount = formatMinor(work.gone!.capturesMinor[i]!, thread.start.currency)
    const trouble = { kind: 'payment.capture_failed', subject: operationId, owner: 'finance', summary: `The goods have left and ${amount} could not be captured` } as const
    const outcome = await persist(thread, work, { waitingOn: waiting('capture', null), trouble }, () =>
      payments(`Capture ${amount}`).capturePayment({ operationId, then, fulfillmentId: work.fulfillmentId }),
    )
    thread.payments[outcome!.paymentId] = outcome!.status
  }
  thread.unwanted.push(...(work.gone!.voids ?? []))
  waits(work, isOver(work) ? null : then)
  show(thread)
}

async function manifested(thread: Thread, work: Work): Promise<void> {
  const trouble = { kind: 'carrier.manifest_failed', subject: work.fulfillmentId, owner: 'operations', summary: `${work.carrier} has not confirmed the hand-over` } as const
  await persist(thread, work, { waitingOn: waiting('carrier', null), trouble }, () => carriers(`Tell ${work.carrier} what it has been given`).manifest({ operationId: work.manifest! }))
}

async function delivered(thread: Thread, work: Work): Promise<void> {
  const late = { kind: 'shipment.overdue', subject: work.fulfillmentId, owner: 'support', summary: `${work.carrier} has not delivered in time: look for the parcel` } as const
  await waitOrEscalate(thread, work, waiting('delivery', thread.start.policy.last_mile.deliverWithin), late, () => isOver(work))
  for (const { claim } of work.troubles ?? []) if (claim) await claimed(thread, work, claim)
  show(thread, work.deliveredAt === undefined ? {} : { status: 'delivered' })
}

/** Delivered, or it never will be. */
const isOver = (work: Work): boolean => work.deliveredAt !== undefined || work.status === 'lost' || work.status === 'returned'

async function claimed(thread: Thread, work: Work, operationId: string): Promise<void> {
  const trouble = { kind: 'carrier.claim_failed', subject: operationId, owner: 'operations', summary: `${work.carrier} does not take the claim for a parcel` } as const
  await persist(thread, work, { trouble }, () => carriers(`Claim compensation from ${work.carrier}`).claimParcel({ operationId }))
}

/** Waits until a packed fulfillment has its labels, or will never get any. */
export const labelsOrEnd = (thread: Thread, work: Work): Promise<void> =>
  CancellationScope.nonCancellable(() => condition(() => work.trackingNumbers !== undefined || thread.cancelled !== undefined || wentBack(work)))
