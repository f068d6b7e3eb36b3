/** Chapter three, for each part that the customer takes with her: put aside at the counter until she comes or her time is over; or carried out of the store at once. */
import { patched } from '@temporalio/workflow'
import { isStopped } from '../../domain/order/holds'
import { step } from '../support/activities'
import { Ending, refusalIn } from '../support/failures'
import { captured, prepared, wentBack } from './delivery'
import { lessToHold, stopAll } from './fewer'
import { holdRemainder, letGo } from './payment'
import { show } from './show'
import { waiting, waits, type Thread, type Work } from './thread'
import { waitFor, waitOrEscalate, whileHeld } from './waits'

/** Collected, or expired because nobody came, or gone back because the store could not fill it. @throws Ending `collection.expired` when nothing of the order is left */
export async function awaitCollection(thread: Thread, work: Work): Promise<void> {
  await prepared(thread, work)
  if (wentBack(work)) return
  thread.chapter = 'collection'
  show(thread)
  const over = (): boolean => work.status !== 'ready'
  const { remindAt } = work.pickup!
  if (remindAt !== undefined && (await waitFor(thread, work, { ...work.wait!, deadline: remindAt }, over)) === 'too late')
    await step('Remind the customer').remindOfPickup({ fulfillmentId: work.fulfillmentId })
  await fetchedOrExpired(thread, work, over)
  if (work.status === 'collected') await taken(thread, work)
}

async function fetchedOrExpired(thread: Thread, work: Work, over: () => boolean): Promise<void> {
  const wait = { ...work.wait!, deadline: work.pickup!.pickupBy }
  if (thread.start.policy.store_work.whenUncollected === 'ask') {
    const late = { kind: 'collection.overdue', subject: work.fulfillmentId, owner: 'support', summary: `Nobody has come to ${work.nodeId} for it: ask the customer, or cancel` } as const
    return waitOrEscalate(thread, work, wait, late, over)
  }
  if ((await waitFor(thread, work, wait, over)) === 'too late') await expire(thread, work)
}

/** At the deadline; somebody who came at the last moment has won. */
const expire = (thread: Thread, work: Work): Promise<void> =>
  thread.lock(async () => {
    if (work.status !== 'ready') return
    const expired = await step('Nobody came: back to the shelf').expirePickup({ fulfillmentId: work.fulfillmentId, reason: 'collection.expired' })
    if (expired.outcome === 'too late') return
    work.status = 'expired'
    waits(work, null)
    if (expired.outcome === 'nothing left') {
      thread.cancelled = { outcome: expired.cancelled, reason: 'collection.expired' }
      stopAll(thread, expired.cancelled)
      throw new Ending('collection.expired')
    }
    thread.owed.push(...(expired.refunds ?? []))
    lessToHold(thread)
    for (const operationId of expired.voids) await letGo(thread, operationId)
  })

/** Sold over the counter: it waits for nobody, unless it is held. There it is picked and leaves in one moment, so what stops either stops it. */
export async function carryOut(thread: Thread, work: Work): Promise<void> {
  while (work.status === 'released') {
    if (isStopped('picking', thread.holds) && patched('carry-out-waits-for-picking')) await whileHeld(thread, work, { what: 'picking' })
    await whileHeld(thread, work, { what: 'hand_over' })
    const known = thread.holds
    if ((await thread.lock(() => giveAway(work))) === 'given') break
    // The row was held before we heard of it: what is said of it next decides.
    if (thread.holds === known) await thread.until(() => thread.holds !== known || work.status !== 'released', Number.POSITIVE_INFINITY, 'News of a hold')
  }
  if (work.status === 'collected') await taken(thread, work)
}

async function giveAway(work: Work): Promise<'given' | 'held'> {
  if (work.status !== 'released') return 'given'
  try {
    const given = await step('Carried out of the store').carryOut({ fulfillmentId: work.fulfillmentId, actor: 'throughline', ifCapture: waiting('capture', null) })
    Object.assign(work, { status: 'collected', gone: given, deliveredAt: given.at })
    waits(work, given.captures.length ? waiting('capture', null) : null)
    return 'given'
  } catch (cause) {
    if (refusalIn(cause)?.type !== 'order.held') throw cause
    return 'held'
  }
}

async function taken(thread: Thread, work: Work): Promise<void> {
  await Promise.all([captured(thread, work), work.gone!.remainder && holdRemainder(thread)])
  show(thread, { status: 'delivered' })
}
