/** The policy lab's long jobs: computed in a thread, their progress kept in their row and told to Temporal, so that a job whose process dies begins again elsewhere. */
import { Context } from '@temporalio/activity'
import { endBackTest, needBackTest, noteProgress } from '../db/back-tests'
import type { Db } from '../db/connection'
import type { BackTestResult } from '../domain/sourcing/back-test'
import { endApplying, failReOptimisation, findReOptimisation, groupsOf, propose, type Proposal } from '../db/re-optimisations'
import { applyMoves } from '../db/steps/apply-moves'
import { inThread } from './in-thread'
import type { Carrier } from './ports'

const everyMs = 1_000

export function createLabActivities(db: Db, databaseUrl: string, carriers: readonly Carrier[]) {
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

    /** Plans the open orders together and keeps the proposal. Done twice, the first one stands. */
    runReOptimisation: async ({ reOptimisationId }: { reOptimisationId: string }): Promise<void> => {
      if ((await findReOptimisation(db, reOptimisationId))?.status !== 'computing') return
      const context = Context.current()
      const beat = setInterval(() => context.heartbeat(), everyMs)
      try {
        const services = carriers.map((c) => ({ carrier: c.carrier, services: c.services() }))
        const proposal = await inThread<Proposal>('lab', { databaseUrl, reOptimisationId, services }, { signal: context.cancellationSignal })
        await db.transaction((tx) => propose(tx, reOptimisationId, proposal))
      } finally {
        clearInterval(beat)
      }
    },

    failReOptimisation: ({ reOptimisationId, failure }: { reOptimisationId: string; failure: string }): Promise<void> => failReOptimisation(db, reOptimisationId, failure),

    /** Group by group; what was dealt with before a process died is not dealt with again. */
    applyReOptimisation: async ({ reOptimisationId }: { reOptimisationId: string }): Promise<void> => {
      const context = Context.current()
      for (const group of await groupsOf(db, reOptimisationId)) {
        context.heartbeat({ group })
        await db.transaction((tx) => applyMoves(tx, { reOptimisationId, group }))
      }
      await endApplying(db, reOptimisationId)
    },

    failBackTest: ({ backTestId, failure }: { backTestId: string; failure: string }): Promise<void> => endBackTest(db, backTestId, { failure }),
  }
}
