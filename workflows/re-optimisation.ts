/** Open orders planned again together: computed into a proposal; and, once somebody has said so, applied group by group. */
import { isCancellation } from '@temporalio/workflow'
import { lab } from './support/activities'
import { faultMessage } from './support/failures'

export async function reOptimisation({ reOptimisationId, apply }: { reOptimisationId: string; apply: boolean }): Promise<void> {
  if (apply) return lab('Move the orders').applyReOptimisation({ reOptimisationId })
  try {
    await lab('Plan the open orders together').runReOptimisation({ reOptimisationId })
  } catch (cause) {
    if (isCancellation(cause)) throw cause
    await lab('Say that it failed').failReOptimisation({ reOptimisationId, failure: faultMessage(cause) })
  }
}
