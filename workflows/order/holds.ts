/** Holds: the order is stopped at named steps, told so by people or by its rows, until somebody releases it or the hold's own deadline says what becomes of it. */
import { CancellationScope, defineSignal, defineUpdate } from '@temporalio/workflow'
import { signals, updates, type CancelOrder, type FraudRejected, type HoldsChanged, type PlaceHold, type ReleaseHold } from '../../domain/messages'
import type { ReleasingFact, StandingHold } from '../../domain/order/holds'
import { asked, step } from '../support/activities'
import { answering, refusalIn, refusing } from '../support/failures'
import { setHandler } from '../support/handlers'
import { condition } from '../support/turns'
import { show } from './show'
import { waits, workOf, type Thread } from './thread'

const placeHold = defineUpdate<{ holdId: string }, [PlaceHold]>(updates.placeHold)
const releaseHold = defineUpdate<{ released: boolean }, [ReleaseHold]>(updates.releaseHold)
const fraudRejected = defineSignal<[FraudRejected]>(signals.fraudRejected)
const holdsChanged = defineSignal<[HoldsChanged]>(signals.holdsChanged)

type Cancel = (ask: CancelOrder) => Promise<unknown>

/** @param cancel how an order is cancelled by a hold that nobody releases. */
export function listenForHolds(thread: Thread, cancel: Cancel): void {
  setHandler(placeHold, (ask) => place(thread, ask, cancel), {
    description: 'Stop named steps of the order: payment, sourcing, picking, shipping, refund. Work that a node has not packed is asked back.',
    validator: (_ask: PlaceHold) => refuseIfEnded(thread),
  })
  setHandler(releaseHold, (ask) => release(thread, ask, cancel), {
    description: 'Somebody says that it may go on: the last of them, and it does.',
    validator: (_ask: ReleaseHold) => refuseIfEnded(thread),
  })
  setHandler(holdsChanged, (news) => hear(thread, news, cancel), { description: 'A fact from outside placed or released holds; the rows are already up to date.' })
  setHandler(fraudRejected, ({ checkId }) => endFraud(thread, checkId, cancel), { description: 'The fraud service does not want this order to go on: it is cancelled, or somebody is told that it is too late.' })
  for (const hold of thread.holds) void watch(thread, hold, cancel)
}

function refuseIfEnded(thread: Thread): void {
  if (thread.cancelled || thread.ending?.status === 'cancelled') throw refusing('order.already_cancelled', { state: 'cancelled' })
  if (thread.ending) throw refusing('order.closed', { state: 'completed' })
}

const place = (thread: Thread, ask: PlaceHold, cancel: Cancel): Promise<{ holdId: string }> =>
  thread.lock(async () => {
    refuseIfEnded(thread)
    const { holdId, ...news } = await answering(() => asked(`Hold: ${ask.type}`).placeHold({ ...ask, orderId: thread.start.orderId }))
    hear(thread, news, cancel)
    return { holdId }
  })

const release = (thread: Thread, ask: ReleaseHold, cancel: Cancel): Promise<{ released: boolean }> =>
  thread.lock(async () => {
    refuseIfEnded(thread)
    const news = await answering(() => asked('Release a hold').releaseHold({ ...ask, orderId: thread.start.orderId }))
    hear(thread, news, cancel)
    return { released: news.released.length > 0 }
  })

/** What the rows say becomes the story's own picture; said twice nothing changes, and what is released before it is heard of does not stand. */
function hear(thread: Thread, { placed, released, moved, status }: HoldsChanged, cancel: Cancel): void {
  if (thread.cancelled) return
  const known = thread.holds
  thread.released.push(...released.filter((id) => !known.some((h) => h.holdId === id)))
  thread.holds = [...known.filter((h) => !placed.some((p) => p.holdId === h.holdId)), ...placed].filter((h) => !released.includes(h.holdId) && !thread.released.includes(h.holdId))
  for (const { fulfillmentId, wait, byMs } of moved) {
    const work = fulfillmentId === undefined ? undefined : workOf(thread, fulfillmentId)
    waits(work ?? thread.whole, wait)
    if (work?.pickup) work.pickup = { pickupBy: laterBy(work.pickup.pickupBy, byMs), ...(work.pickup.remindAt !== undefined && { remindAt: laterBy(work.pickup.remindAt, byMs) }) }
  }
  show(thread, { status })
  for (const hold of placed) if (!known.some((h) => h.holdId === hold.holdId)) void watch(thread, hold, cancel)
}

const laterBy = (instant: string, byMs: number): string => new Date(Date.parse(instant) + byMs).toISOString()

/** What waits for this fact is released by it. */
export async function releaseBy(thread: Thread, fact: ReleasingFact): Promise<void> {
  if (!thread.holds.some((h) => h.releasedBy === fact)) return
  await thread.lock(async () => hear(thread, await step(`Release what waited for ${fact.replaceAll('_', ' ')}`).releaseByFact({ orderId: thread.start.orderId, fact }), () => Promise.resolve()))
}

/** Until the hold is released; or until its deadline, when it ends itself, ends the order, or is told to somebody. */
const watch = (thread: Thread, { holdId, deadline, type }: StandingHold, cancel: Cancel): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    if (deadline === null) return
    const stands = (): boolean => thread.holds.some((h) => h.holdId === holdId && h.deadline !== null)
    if (await thread.until(() => !stands(), Date.parse(deadline), `The hold "${type}" ends by ${deadline}`)) return
    await condition(() => thread.resumed)
    const { orderId } = thread.start
    const cancels = await thread.lock(async () => {
      if (!stands() || thread.ending) return false
      const news = await step(`The time of the hold "${type}" is over`).endHoldAtDeadline({ orderId, holdId })
      hear(thread, news, cancel)
      return news.cancel
    })
    if (cancels) await giveUp(thread, holdId, cancel)
  })

/** Cancelled as a person would; what has left already is told to somebody instead. */
async function giveUp(thread: Thread, holdId: string, cancel: Cancel): Promise<void> {
  const { orderId } = thread.start
  try {
    await cancel({ commandId: `hold:${holdId}`, actor: 'throughline', reason: 'hold.expired' })
  } catch (cause) {
    if (!refusalIn(cause)) throw cause
    if (thread.cancelled) return
    await thread.lock(async () => hear(thread, await step('Too late to cancel: tell somebody').escalateHold({ orderId, holdId }), cancel))
  }
}

/** Cancelled and undone; what has left already is told to support. */
async function endFraud(thread: Thread, checkId: string, cancel: Cancel): Promise<void> {
  try {
    await cancel({ commandId: `fraud:${checkId}`, actor: 'fraud', reason: 'fraud.rejected' })
  } catch (cause) {
    const refusal = refusalIn(cause)
    if (!refusal) throw cause
    if (thread.cancelled) return
    await thread.lock(() => step('Too late to stop it: tell support').noteFraudTooLate({ orderId: thread.start.orderId, checkId, code: refusal.type }))
  }
}
