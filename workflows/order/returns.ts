/** What comes back: asked for, waited for, counted, paid back. The goods and the money of every return end for themselves, beside whatever else the order still does. */
import { defineSignal, defineUpdate, patched } from '@temporalio/workflow'
import { signals, updates, type DecideReturn, type ReceiveReturn, type RequestReplacement, type RequestReturn, type ReturnAnswer, type ReturnAtCounter } from '../../domain/messages'
import { readReplacement } from '../../domain/returns/asked'
import { lateNotices } from '../../domain/returns/late'
import { hasEnded } from '../../domain/returns/status'
import type { ReturnNews } from '../../db/returns'
import type { ClaimWaits } from '../../db/steps/claim-refund'
import { asked, step } from '../support/activities'
import { answering, refusalIn } from '../support/failures'
import { setHandler } from '../support/handlers'
import { chargeIfLate, hasCharges, replace, take } from './exchange'
import { hearReturn } from './late-news'
import { claimLost, giveBackReturnLabel, giveBackUnused, labelled } from './return-labels'
import { giveBack } from './payment'
import { note, withThread } from './return-news'
import type { Back, Thread } from './thread'
import { settle, waitFor, waitOrEscalate } from './waits'
import { isoNow } from '../support/clock'
import { show } from './show'

const requestReturn = defineUpdate<ReturnAnswer, [RequestReturn]>(updates.requestReturn)
const requestReplacement = defineUpdate<ReturnAnswer, [RequestReplacement]>(updates.requestReplacement)
const receiveReturn = defineUpdate<ReturnAnswer, [ReceiveReturn]>(updates.receiveReturn)
const returnAtCounter = defineUpdate<ReturnAnswer, [ReturnAtCounter]>(updates.returnAtCounter)
const replacementSignal = defineSignal<[unknown?]>(signals.requestReplacement)
const returnReported = defineSignal<[ReturnNews]>(signals.returnReported)
const decideReturn = defineUpdate<ReturnAnswer, [DecideReturn]>(updates.decideReturn)

export function listenForReturns(thread: Thread): void {
  const { orderId } = thread.start
  setHandler(requestReturn, (ask) => noting(thread, () => asked('A return is asked for').requestReturn({ ...ask, orderId })).then((answer) => labelled(thread, answer)), {
    description: 'Something is to come back. Answers once it is known whether it may.',
  })
  setHandler(requestReplacement, (ask) => replace(thread, ask).then((answer) => labelled(thread, answer)), {
    description: 'Something is to be sent in place of what was delivered; sourced like any line. What it costs more is held first.',
  })
  setHandler(receiveReturn, (ask) => noting(thread, () => asked(`Counted at ${ask.nodeId}`).receiveReturn(ask)), {
    description: 'What came back is counted and on the books of the node. The refund follows.',
  })
  setHandler(returnAtCounter, (ask) => noting(thread, () => asked(`Brought to ${ask.nodeId} and counted`).returnAtCounter({ ...ask, orderId })), {
    description: 'The customer is at a counter with what nobody has announced: asked for and counted at once. The refund follows.',
  })
  setHandler(decideReturn, (ask) => noting(thread, () => asked(`The return: ${ask.decision}`).decideReturn(ask)), {
    description: 'A person agrees to a return or refuses it, or who asked for it takes it back.',
  })
  setHandler(replacementSignal, (ask) => replaceFromUi(thread, ask), {
    description: 'For support, from the Temporal UI: {"lines": [{"lineId": "1", "quantity": 1}], "collectOld": "at_door" | "mail" | "store" | "none", "reason": "…", "actor": "…"}. Done like the update; a refusal shows on the timeline and in the exception queue.',
  })
  setHandler(returnReported, (news) => hearReturn(thread, news), { description: 'A driver has the goods of a return, or lost them; the rows are already up to date.' })
}

async function replaceFromUi(thread: Thread, typed: unknown): Promise<void> {
  const { orderId } = thread.start
  const ask = readReplacement(typed)
  if (!ask) return refused(thread, { messageId: `unread:${typeof typed}`, actor: 'support', code: 'request.invalid', data: {} })
  const { actor, messageId, reason, lines, collectOld } = ask
  const replacement = { commandId: `signal:${orderId}:${messageId}`, actor: `support:${actor}`, collectOld, staff: true, lines: lines.map((l) => ({ ...l, reason })) }
  try {
    await replace(thread, replacement)
  } catch (cause) {
    const refusal = refusalIn(cause)
    if (!refusal) throw cause
    const data = (refusal.details?.[0] ?? {}) as Record<string, unknown>
    await refused(thread, { messageId, actor: `support:${actor}`, code: refusal.type, data })
  }
}

const refused = (thread: Thread, why: { messageId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> =>
  thread.lock(() => step(`Note that the replacement was refused: ${why.code}`).noteRefusedReturn({ orderId: thread.start.orderId, ...why }))

/** What a step says of a return becomes the story's own picture of it. */
const noting = (thread: Thread, effect: () => Promise<ReturnNews | ClaimWaits>): Promise<ReturnAnswer> =>
  withThread(thread, async () => {
    const news = await answering(effect)
    return 'refundId' in news ? news : note(thread, news)
  })

/** The order had come to its end: its rows are open again, and what was still on its way back is followed. */
export async function reopen(thread: Thread): Promise<void> {
  const open = await step('Open the order again').reopenOrder({ orderId: thread.start.orderId })
  for (const news of open) note(thread, news)
  thread.resumed = true
}

/** Until everything of it is counted and paid back. What does not come is told to support, and waited for. */
export async function takeBack(thread: Thread, back: Back): Promise<void> {
  const { returnId } = back
  const isNews = (): boolean => back.refunds.length > 0 || hasCharges(back) || back.stirred === true || back.claimId !== undefined || back.status === 'received' || hasEnded(back.status)
  const isCharged = (): boolean => back.guarded === true && !back.arrived // what is with us and not counted is not the customer's fault
  for (;;) {
    back.stirred = false
    if (back.wait) await (isCharged() ? chargeIfLate(thread, back, isNews) : patched('returns-come-to-an-end') ? byItsDates(thread, back, isNews) : waitOrEscalate(thread, back, back.wait, lateNotice(back), isNews, () => whenLate(thread, back)))
    for (const charge of back.charges?.splice(0) ?? []) await take(thread, back, charge)
    for (const refund of back.refunds.splice(0)) await giveBack(thread, back, refund)
    if (back.refunds.length > 0 || hasCharges(back)) continue
    if (back.claimId !== undefined) await claimLost(thread, back)
    if (back.status === 'received') await thread.lock(async () => note(thread, await step('The return is settled').closeReturn({ returnId })))
    if (!hasEnded(back.status)) continue
    if ((back.refunds.length > 0 || hasCharges(back)) && patched('money-of-ended-returns')) continue // counted while it was being settled
    back.isOver = true
    return giveBackReturnLabel(thread, back)
  }
}

/** Waits for news of it, date by date: what follows on each is for its rows to say, and the last has an ending or leaves it to somebody who was told. */
async function byItsDates(thread: Thread, back: Back, isNews: () => boolean): Promise<void> {
  let told: string | undefined
  while (back.wait) {
    const { wait } = back
    if ((await waitFor(thread, back, wait, isNews)) === 'came') break
    if (!(await passed(thread, back, wait.deadline!, isNews))) await thread.until(() => isNews() || back.wait !== wait, Number.POSITIVE_INFINITY, 'Word of what has moved it on')
    told = back.told ?? told
    if (told !== undefined && back.label !== undefined && !hasEnded(back.status)) await giveBackUnused(back)
  }
  back.told = undefined
  if (told !== undefined) await settle(thread, { kind: told, subject: back.returnId })
}

/** @returns false where its rows are further than the story, and word of that is under way */
const passed = (thread: Thread, back: Back, deadline: string, isNews: () => boolean): Promise<boolean> =>
  thread.lock(async () => {
    if (isNews()) return true
    const news = await step('Its date has passed').overdueReturn({ returnId: back.returnId, status: back.status, deadline })
    if (!news) return false
    note(thread, news)
    if (!news.told) return true
    back.told = news.told.kind
    thread.lastException = `${isoNow()} ${news.told.summary}`
    show(thread, { hasException: true })
    return true
  })

/** Orders that were under way when that began go on as they did. */
const lateNotice = ({ returnId, arrived }: Back) => ({ ...(arrived ? lateNotices.notCounted : lateNotices.overdue), subject: returnId })

/** Orders that were under way when this began went on without. */
async function whenLate(thread: Thread, back: Back): Promise<void> {
  if (!patched('late-returns')) return
  const news = await step('It is late').lateReturn({ returnId: back.returnId })
  if (news) note(thread, news)
  if (back.label !== undefined) await giveBackUnused(back)
}
