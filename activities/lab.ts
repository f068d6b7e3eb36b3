/** The policy lab's long jobs: computed in a thread, their progress kept in their row and told to Temporal, so that a job whose process dies begins again elsewhere. */
import { Context } from '@temporalio/activity'
import { endBackTest, needBackTest, noteProgress } from '../db/back-tests'
import type { Db } from '../db/connection'
import type { BackTestResult } from '../domain/sourcing/back-test'
import { inThread } from './in-thread'

const everyMs = 1_000

export function createLabActivities(db: Db, databaseUrl: string) {
  return {
    /** Replays the period with both policies and keeps the result. Done twice, the first result stands. */
    runBackTest: async ({ backTestId }: { backTestId: string }): Promise<void> => {
      if ((await needBackTest(db, backTestId)).status !== 'running') return
      const context = Context.current()
      let done = 0
      const tell = setInterval(() => {
        context.heartbeat({ done })
        noteProgress(db, backTestId, done).catch((cause: unknown) => void context.log.warn('the progress of a back-test could not be kept', { backTestId, cause }))
      }, everyMs)
      try {
        const result = await inThread<BackTestResult>('lab', { databaseUrl, backTestId }, { signal: context.cancellationSignal, progress: (now) => void (done = now) })
        await endBackTest(db, backTestId, { result })
      } finally {
        clearInterval(tell)
      }
    },

    failBackTest: ({ backTestId, failure }: { backTestId: string; failure: string }): Promise<void> => endBackTest(db, backTestId, { failure }),
  }
}
