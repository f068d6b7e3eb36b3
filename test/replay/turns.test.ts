/** What comes in two activations while a workflow runs may come in one when it is told again: see workflows/support/turns.ts. */
import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, NativeConnection, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker'
import { randomUUID } from 'node:crypto'
import { quietRuntime } from '../support/quiet'
import type { Steps } from './turns-workflows'

let client: Client
let native: NativeConnection
let workflowBundle: WorkflowBundleWithSourceMap
beforeAll(async () => {
  quietRuntime()
  const address = process.env.TEST_TEMPORAL_ADDRESS!
  client = new Client({ connection: await Connection.connect({ address }) })
  native = await NativeConnection.connect({ address })
  const silent = (): void => undefined
  workflowBundle = await bundleWorkflowCode({ workflowsPath: require.resolve('./turns-workflows'), logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent } })
})
afterAll(async () => {
  await client.connection.close()
  await native.close()
})

interface Moment {
  come(): void
  hasCome: Promise<void>
}

function moment(): Moment {
  let come!: () => void
  const hasCome = new Promise<void>((resolve) => (come = resolve))
  return { come, hasCome }
}

interface Moments {
  /** What follows the first is under way: it has been handed on. */
  afterFirst: Moment
  afterSecond: Moment
  long: Moment
  heard: Moment
}

/** Which step ends after what, so that both always come in the same way the first time. */
const stepsOf = ({ afterFirst, afterSecond, long, heard }: Moments): Steps => ({
  first: () => Promise.resolve(),
  second: () => afterFirst.hasCome,
  afterFirst: () => {
    afterFirst.come()
    return afterSecond.hasCome
  },
  afterSecond: () => Promise.resolve(afterSecond.come()),
  long: () => {
    long.come()
    return heard.hasCome
  },
  heard: () => Promise.resolve(heard.come()),
  afterLong: () => Promise.resolve(),
})

/** It runs to its end, and is told again. */
async function toldAgain(workflow: 'sideBySide' | 'whileItTakesLong', turns: boolean): Promise<void> {
  const moments: Moments = { afterFirst: moment(), afterSecond: moment(), long: moment(), heard: moment() }
  const workflowId = `turns-${randomUUID()}`
  const worker = await Worker.create({ connection: native, taskQueue: workflowId, workflowBundle, activities: stepsOf(moments) })
  const handle = await worker.runUntil(async () => {
    const started = await client.workflow.start(workflow, { workflowId, taskQueue: workflowId, args: [turns], workflowTaskTimeout: '1 second' })
    if (workflow === 'whileItTakesLong') {
      await moments.long.hasCome
      await started.signal('hear')
    }
    await started.result()
    return started
  })
  await Worker.runReplayHistory({ workflowBundle }, await handle.fetchHistory(), workflowId)
}

const ways = ['sideBySide', 'whileItTakesLong'] as const

it.each(ways)('is told again as it was, taking turns: %s', (workflow) => toldAgain(workflow, true))

it.each(ways)('would not be without turns: %s', async (workflow) => {
  await expect(toldAgain(workflow, false)).rejects.toThrow(/[Nn]on-?determinis/)
})
