/** What the steps say of a return becomes the story's own picture of it. */
import { patched } from '@temporalio/workflow'
import type { ReturnAnswer } from '../../domain/messages'
import type { ReturnNews } from '../../db/returns'
import { refusing } from '../support/failures'
import { condition } from '../support/turns'
import { wantLabel } from './return-labels'
import { show } from './show'
import { waits, type Back, type Thread } from './thread'

/** One after the other, once the rows are open. An order that has just closed is asked again, and reopens. */
export const withThread = <Answer>(thread: Thread, effect: () => Promise<Answer>, { evenCancelled = false } = {}): Promise<Answer> =>
  condition(() => thread.resumed).then(() =>
    thread.lock(async () => {
      if (thread.cancelled && !evenCancelled) throw refusing('order.already_cancelled', { state: 'cancelled' })
      if (thread.ending) throw refusing('order.closed', { state: thread.ending.status })
      return effect()
    }),
  )

export function note(thread: Thread, { returnId, status, wait, refunds, toSource, remainder, voids = [], charges, guarded, ...more }: ReturnNews): ReturnAnswer {
  const back = thread.backs.find((b) => b.returnId === returnId) ?? began(thread, returnId)
  remember(thread, { refunds, voids, claimId: more.claimId })
  back.status = status
  back.refunds.push(...refunds)
  if (charges) back.charges = [...(back.charges ?? []), ...charges]
  if (guarded !== undefined) back.guarded = guarded
  waits(back, wait)
  if (wait && wait.since > (back.toldAt ?? '')) back.toldAt = wait.since
  if (more.stirs) back.stirred = true
  if (more.arrived !== undefined) back.arrived = more.arrived
  if (more.claimId !== undefined) back.claimId = more.claimId
  if (more.label) wantLabel(thread, back)
  if (back.isOver && back.refunds.length + (back.charges ?? []).length > 0 && patched('money-of-ended-returns')) follow(thread, back)
  if (toSource) {
    thread.toSource = true
    thread.nudges += 1
  }
  if (remainder) thread.toHold = true
  thread.unwanted.push(...voids)
  show(thread)
  return { returnId, status }
}

/** What was begun is not begun again when it is told again. */
export function remember({ heard }: Thread, { refunds, voids, claimId }: { refunds: readonly { operationId: string }[]; voids: readonly string[]; claimId?: string }): void {
  for (const id of [...refunds.map((r) => r.operationId), ...voids]) heard.add(id)
  if (claimId !== undefined) heard.add(claimId)
}

/** Counted after it had ended: its money is followed once more. */
function follow(thread: Thread, back: Back): void {
  back.isOver = false
  thread.asked.push(back)
}

function began(thread: Thread, returnId: string): Back {
  const back: Back = { returnId, status: 'requested', refunds: [], wait: null, rowWait: null }
  thread.backs.push(back)
  thread.asked.push(back)
  return back
}
