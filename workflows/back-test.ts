/** The life of one back-test: computed, however often a process dies over it; or given up with its reason. */
import { isCancellation } from '@temporalio/workflow'
import { lab } from './support/activities'
import { faultMessage } from './support/failures'

export async function backTest({ backTestId }: { backTestId: string }): Promise<void> {
  try {
    await lab('Replay the orders').runBackTest({ backTestId })
  } catch (cause) {
    if (isCancellation(cause)) throw cause
    await lab('Say that it failed').failBackTest({ backTestId, failure: faultMessage(cause) })
  }
}
