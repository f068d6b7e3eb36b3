/** Starts the workflow of every back-test that was asked for. A loop of the worker: the row stays until its workflow has been started, so none is lost while Temporal is away. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client'
import { WorkflowIdReusePolicy } from '@temporalio/common'
import type { Logger } from 'pino'
import { backTestsToStart, backTestStarted } from '../db/back-tests'
import type { Db } from '../db/connection'
import { backTestWorkflowId, backTestWorkflowType, taskQueues } from '../domain/ids'
import { startPump, type Pump } from './pump'

const everyMs = 1_000
const promptlyMs = 3_000

export const startLab = ({ db, client, log, queuePrefix = '', idleMs = everyMs }: { db: Db; client: Client; log: Logger; queuePrefix?: string; idleMs?: number }): Pump =>
  startPump<{ backTestId: string }>({
    name: 'lab',
    concurrency: 1,
    idleMs,
    log,
    take: (limit) => backTestsToStart(db, limit),
    handle: async ({ backTestId }) => {
      const options = { workflowId: backTestWorkflowId(backTestId), taskQueue: queuePrefix + taskQueues.orders, args: [{ backTestId }], workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE }
      try {
        await client.withDeadline(Date.now() + promptlyMs, () => client.workflow.start(backTestWorkflowType, options))
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      }
      await backTestStarted(db, backTestId)
    },
  })
