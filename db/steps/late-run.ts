/** A driver who does not leave, or of whom nothing is heard any more: somebody asks him. */
import type { Transaction } from '../connection'
import { findRun } from '../runs'
import { openException } from '../waiting'

export async function reportLateRun(tx: Transaction, { runId, what }: { runId: string; what: 'not_departed' | 'not_returned' }): Promise<void> {
  const run = await findRun(tx, runId)
  if (!run || run.status === 'returned' || run.status === 'cancelled') return
  if (what === 'not_departed' && run.status === 'departed') return
  const about = { orderId: null, channel: null, data: { runId, nodeId: run.nodeId, driverId: run.driverId } } as const
  if (what === 'not_departed') await openException(tx, { ...about, kind: 'run.not_departed', subject: runId, owner: 'operations', summary: `${run.driverId} has not left ${run.nodeId} in time: ask, or cancel the run so that another takes the parcels` })
  else await openException(tx, { ...about, kind: 'run.not_returned', subject: runId, owner: 'operations', summary: `Nothing has been heard of ${run.driverId} since he left ${run.nodeId}: ask where he is` })
}
