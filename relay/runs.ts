/** Tells the workflows of the last mile what their rows say: dispatchers that parcels wait, runs what happened on them. Rows stay untold until Temporal has heard. */
import type { Client } from '@temporalio/client'
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common'
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { dispatcherTold, untoldNodes } from '../db/dispatch'
import { activePolicies } from '../db/policies'
import { leaseReports, reportTold } from '../db/runs'
import { runStart } from '../db/views/runs'
import { dispatchWorkflowId, dispatchWorkflowType, runWorkflowId, runWorkflowType, taskQueues } from '../domain/ids'
import { parcelsWaitSignal, runSteppedSignal, type DispatchStart, type RunStart, type RunStepped } from '../domain/delivery/run-messages'
import { startPump, type Pump } from './pump'

const everyMs = 1_000
const promptlyMs = 3_000
const leaseMs = 30_000

export interface RunRelayOptions {
  db: Db
  client: Client
  log: Logger
  queuePrefix?: string
  idleMs?: number
}

const entity = { workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING, workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE } as const

export const startDispatch = ({ db, client, log, queuePrefix = '', idleMs = everyMs }: RunRelayOptions): Pump =>
  startPump<{ nodeId: string }>({
    name: 'dispatch',
    concurrency: 1,
    idleMs,
    log,
    take: (limit) => untoldNodes(db, limit),
    handle: async ({ nodeId }) => {
      const { waveSize, waveWait } = (await activePolicies(db)).documents.last_mile
      const start: DispatchStart = { nodeId, waveSize, waveWait, lookAgainEvery: waveWait }
      const options = { workflowId: `${dispatchWorkflowId(nodeId)}${suffix(queuePrefix)}`, taskQueue: queuePrefix + taskQueues.orders, args: [start] as [DispatchStart], signal: parcelsWaitSignal, staticSummary: `Own drivers of ${nodeId}`, ...entity }
      await client.withDeadline(Date.now() + promptlyMs, () => client.workflow.signalWithStart(dispatchWorkflowType, options))
      await dispatcherTold(db, nodeId)
    },
  })

/** Installations that share a namespace have dispatchers of their own. */
const suffix = (queuePrefix: string): string => (queuePrefix ? `:${queuePrefix.replace(/-$/, '')}` : '')

export const startRunReports = ({ db, client, log, queuePrefix = '', idleMs = everyMs }: RunRelayOptions): Pump =>
  startPump<{ runId: string; number: number; what: string }>({
    name: 'run reports',
    concurrency: 4,
    idleMs,
    log,
    take: (limit) => leaseReports(db, limit, leaseMs),
    handle: async ({ runId, number, what }) => {
      const { date, number: n, nodeId, ...start } = await runStart(db, runId)
      const args: [RunStart] = [{ ...start, nodeId }]
      const step: RunStepped = { number, what }
      const workflowId = `${runWorkflowId({ nodeId, date, number: n })}${suffix(queuePrefix)}`
      const options = { workflowId, taskQueue: queuePrefix + taskQueues.orders, args, signal: runSteppedSignal, signalArgs: [step] as [RunStepped], staticSummary: `${start.driverId} · ${start.stops} stops`, ...entity }
      await client.withDeadline(Date.now() + promptlyMs, () => client.workflow.signalWithStart(runWorkflowType, options))
      await reportTold(db, runId, number)
    },
  })
