/** What the policy lab computes, inside its thread (`in-thread.ts`): it reads what it needs by itself, so that the process around it stays free. */
import { workerData } from 'node:worker_threads'
import { needBackTest } from '../db/back-tests'
import { connect, type Db } from '../db/connection'
import { readPeriod } from '../db/views/back-test'
import { backTest } from '../domain/sourcing/back-test'
import { seeded } from '../domain/seeded'
import { say } from './thread-message'

export interface LabTask {
  databaseUrl: string
  backTestId: string
}

async function computed(db: Db, backTestId: string): Promise<unknown> {
  const { ask } = await needBackTest(db, backTestId)
  const period = await readPeriod(db, ask)
  const random = seeded(Number.parseInt(backTestId.slice(-8), 16))
  return backTest(period, { draft: ask.draft.document, against: ask.against.document, random, progress: (done) => say({ done }) })
}

async function main({ databaseUrl, backTestId }: LabTask): Promise<void> {
  const db = connect(databaseUrl, { poolMax: 1, applicationName: 'throughline lab' })
  try {
    say({ answer: await computed(db, backTestId) })
  } finally {
    await db.destroy()
  }
}

main(workerData as LabTask).catch((error: unknown) => {
  // A rejection that nobody handles ends the thread with this very error, which is what the other side hears.
  queueMicrotask(() => {
    throw error
  })
})
