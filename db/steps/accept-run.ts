/** The driver says yes to a run; or it is given up before it leaves, and its parcels wait for another. */
import { dropCollects } from '../collections'
import type { Transaction } from '../connection'
import { leaveDispatch, waitAgain } from '../dispatch'
import { dropPending, endTask, lockRun, moveRun, report, tasksOf } from '../runs'

/** @throws `run.unknown`, `run.state` */
export async function acceptRun(tx: Transaction, { runId }: { runId: string }): Promise<void> {
  await moveRun(tx, await lockRun(tx, runId), 'accepted', new Date().toISOString())
  await report(tx, runId, 'accepted', [])
}

/** @throws `run.unknown`, `run.state` */
export async function cancelRun(tx: Transaction, { runId }: { runId: string }): Promise<void> {
  const at = new Date().toISOString()
  await moveRun(tx, await lockRun(tx, runId), 'cancelled', at)
  for (const { taskId, fulfillmentId, fulfillmentStatus } of await tasksOf(tx, runId)) {
    await endTask(tx, { taskId, outcome: 'dropped', reason: 'run_cancelled', at })
    if (fulfillmentStatus === 'cancelled') await leaveDispatch(tx, [fulfillmentId])
    else await waitAgain(tx, { fulfillmentId, attempted: false, notBefore: at })
  }
  await dropPending(tx, runId, at)
  await dropCollects(tx, runId, at)
  await report(tx, runId, 'cancelled', [])
}
