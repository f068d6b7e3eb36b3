/** Starts the workflows of the policy lab that were asked for. A loop of the worker: the row stays until its workflow has been started, so none is lost while Temporal is away. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client'
import { WorkflowIdReusePolicy } from '@temporalio/common'
import type { Logger } from 'pino'
import { backTestsToStart, backTestStarted } from '../db/back-tests'
import type { Db } from '../db/connection'
import { reOptimisationsToStart, reOptimisationStarted } from '../db/re-optimisations'
import { backTestWorkflowId, backTestWorkflowType, reOptimisationWorkflowId, reOptimisationWorkflowType, taskQueues } from '../domain/ids'
import { startPump, type Pump } from './pump'

type Job = { backTestId: string } | { reOptimisationId: string; apply: boolean }

const everyMs = 1_000
const promptlyMs = 3_000

export const startLab = ({ db, client, log, queuePrefix = '', idleMs = everyMs }: { db: Db; client: Client; log: Logger; queuePrefix?: string; idleMs?: number }): Pump =>
  startPump<Job>({
    name: 'lab',
    concurrency: 1,
    idleMs,
    log,
    take: async (limit) => [...(await backTestsToStart(db, limit)), ...(await reOptimisationsToStart(db, limit))],
    handle: async (job) => {
      const [type, workflowId] = 'backTestId' in job ? [backTestWorkflowType, backTestWorkflowId(job.backTestId)] : [reOptimisationWorkflowType, reOptimisationWorkflowId(job.reOptimisationId, job.apply)]
      const options = { workflowId, taskQueue: queuePrefix + taskQueues.orders, args: [job], workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE }
      try {
        await client.withDeadline(Date.now() + promptlyMs, () => client.workflow.start(type, options))
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      }
      if ('backTestId' in job) await backTestStarted(db, job.backTestId)
      else await reOptimisationStarted(db, job.reOptimisationId, job.apply)
    },
  })
