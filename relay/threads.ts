/** Talks to order workflows: starts them, asks them, tells them. The only place outside workflows/ that knows how an order's workflow is addressed. */
import {
  isGrpcServiceError, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client, type WorkflowStartOptions,
} from '@temporalio/client'
import { ApplicationFailure, defineSearchAttributeKey, TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common'
import { NoAnswerYet, type OrderAsk, type OrderThreads } from '../api/threads'
import type { Db } from '../db/connection'
import { beginsAgain } from '../db/left-undone'
import { findOrder, orderByNumber, type OrderRow } from '../db/orders'
import { loadStart, startIsDone, type StartArguments } from '../db/starts'
import { orderWorkflowId, orderWorkflowType, taskQueues } from '../domain/ids'
import { reopening, reopeningCancelled, signals, type OrderStart } from '../domain/messages'
import { isRefusalCode, refuse } from '../domain/refusals'
import { searchAttributes } from '../domain/search-attributes'

export interface Threads extends OrderThreads {
  /** Starts the workflow of an accepted order; one that is or was started already counts as started. */
  start(orderId: string): Promise<void>
  /** Tells an open workflow a fact; what is still to be done begins one again. @returns false when there is none open any more. */
  tell(order: Pick<OrderRow, 'channel' | 'channelOrderId'>, signal: string, fact: object): Promise<boolean>
}

const promptlyMs = 3_000
/** A workflow task that was put back is taken up again at once, unless it is put back for good. */
const putBackPausesMs = { first: 50, longest: 1_000 }
/** Of gRPC. */
const failedPrecondition = 9

export function createThreads({ client, db, queuePrefix = '' }: { client: Client; db: Db; queuePrefix?: string }): Threads {
  const taskQueue = queuePrefix + taskQueues.orders
  /** While Temporal is away the client would try on for long; what is queued comes back to it soon enough. */
  const promptly = <Result>(call: () => Promise<Result>): Promise<Result> => client.withDeadline(Date.now() + promptlyMs, call)

  const start = async (orderId: string): Promise<void> => {
    try {
      const options = { ...startOptions(await loadStart(db, orderId)), taskQueue }
      await promptly(() => client.workflow.start(orderWorkflowType, options))
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  }

  const tell = async (order: Pick<OrderRow, 'channel' | 'channelOrderId'>, signal: string, fact: object): Promise<boolean> => {
    try {
      await promptly(() => client.workflow.getHandle(orderWorkflowId(order.channel, order.channelOrderId)).signal(signal, fact))
      return true
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      if (!(await beginsAgain(db, order, signal, fact))) return false
      const options = { ...(await beginningAgain(db, order)), taskQueue, signal, signalArgs: [fact] }
      await promptly(() => client.workflow.signalWithStart(orderWorkflowType, options))
      return true
    }
  }

  /** An update to the running workflow; one that overtakes the start brings the start along, and one about an order that has come to its end begins its thread again. */
  const update = async (order: OrderRow, ask: OrderAsk, triesLeft = 2): Promise<unknown> => {
    const { update: name, args } = ask
    const options: { args: [object]; updateId: string } = { args: [args], updateId: args.commandId }
    const reopens = (order.stage === 'cancelled' ? reopeningCancelled : reopening).includes(name)
    try {
      return await client.workflow.getHandle(orderWorkflowId(order.channel, order.channelOrderId)).executeUpdate(name, options)
    } catch (error) {
      const over = error instanceof WorkflowNotFoundError
      if (!over && !(reopens && saysClosed(error))) throw error
      const ended = !over || (await startIsDone(db, order.orderId))
      const now = ended && !reopens ? await findOrder(db, order.orderId) : undefined
      // It was started just after it was looked for.
      if (over && now?.stage === 'open' && triesLeft > 0) return update(order, ask, triesLeft - 1)
      if (now) throw refuseClosed(now)
      const { start, customerRef } = await loadStart(db, order.orderId)
      const again = { workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE }
      const startArguments = { customerRef, start: { ...start, ...(ended && { reopened: true as const, ...(order.stage === 'cancelled' && { cancelled: true as const }) }) } }
      const startWorkflowOperation = new WithStartWorkflowOperation(orderWorkflowType, { ...startOptions(startArguments), ...(ended && again), taskQueue })
      return await client.workflow.executeUpdateWithStart(name, { ...options, startWorkflowOperation })
    }
  }

  const ask = (command: OrderAsk): Promise<unknown> =>
    untilHeard(Date.now() + command.deadlineMs, async (deadline) => {
      const order = await findOrder(db, command.orderId)
      if (!order) throw refuse('order.unknown')
      return client.withDeadline(deadline, () => update(order, command))
    })

  const retryException = async (orderId: string, exceptionId: string): Promise<void> => {
    const order = await findOrder(db, orderId)
    if (order) await tell(order, signals.exceptionRetried, { exceptionId }).catch((error: unknown) => Promise.reject(asAnswer(error) as Error))
  }

  return { start, tell, ask, retryException }
}

/** Money that nobody counts on, or that nobody has given, begins the thread of an order again that has come to its end. */
async function beginningAgain(db: Db, { channel, channelOrderId }: Pick<OrderRow, 'channel' | 'channelOrderId'>): Promise<StartOptions> {
  const order = (await orderByNumber(db, channel, channelOrderId))!
  const { start, customerRef } = await loadStart(db, order.orderId)
  const again = { reopened: true as const, ...(order.stage === 'cancelled' && { cancelled: true as const }) }
  return { ...startOptions({ customerRef, start: { ...start, ...again } }), workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE }
}

type StartOptions = Omit<WorkflowStartOptions, 'taskQueue' | 'args'> & { args: [OrderStart]; workflowIdConflictPolicy: WorkflowIdConflictPolicy }

/** People know the order by the id, and see in one line what it is. */
function startOptions({ start, customerRef }: StartArguments): StartOptions {
  const { channel, channelOrderId, lineCount, method } = start
  return {
    workflowId: orderWorkflowId(channel, channelOrderId),
    args: [start],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: `#${channelOrderId} · ${lineCount} ${lineCount === 1 ? 'line' : 'lines'} · ${channel} · ${method}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: key.status, value: start.cancelled ? 'cancelled' : start.reopened ? 'completed' : 'placed' },
      { key: key.channel, value: channel },
      { key: key.method, value: method },
      ...(customerRef ? [{ key: key.customer, value: customerRef }] : []),
    ]),
  }
}

const key = {
  status: defineSearchAttributeKey('OrderStatus', searchAttributes.OrderStatus),
  channel: defineSearchAttributeKey('OrderChannel', searchAttributes.OrderChannel),
  method: defineSearchAttributeKey('FulfillmentMethod', searchAttributes.FulfillmentMethod),
  customer: defineSearchAttributeKey('CustomerRef', searchAttributes.CustomerRef),
}

const refuseClosed = (order: OrderRow | undefined): Error =>
  order?.stage === 'cancelled' ? refuse('order.already_cancelled', { state: 'cancelled' }) : refuse('order.closed', { state: order?.stage })

/** It came while the thread was ending. */
const saysClosed = (error: unknown): boolean => error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure && error.cause.type === 'order.closed'

/** Asks again what was put back, for as long as there is time. */
async function untilHeard(deadline: number, ask: (deadline: number) => Promise<unknown>): Promise<unknown> {
  for (let pauseMs = putBackPausesMs.first; ; pauseMs = Math.min(2 * pauseMs, putBackPausesMs.longest)) {
    try {
      return await ask(deadline)
    } catch (error) {
      if (!wasPutBack(error) || Date.now() + pauseMs > deadline) throw asAnswer(error)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/**
 * The workflow heard it in a task that counts for nothing, as the task was to end the workflow and something came just then. Temporal forgets such an update
 * (its service/history/workflow/update: AbortReasonWorkflowTaskFailed) and says so with a code that its client does not try again.
 */
const wasPutBack = (error: unknown): boolean => [error, (error as Error | undefined)?.cause].some((cause) => isGrpcServiceError(cause) && Number(cause.code) === failedPrecondition)

/** What a failed call to Temporal means: the order's refusal, or that nothing was heard yet. */
function asAnswer(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure && isRefusalCode(error.cause.type))
    return refuse(error.cause.type, (error.cause.details?.[0] ?? {}) as Record<string, unknown>, error.cause.message)
  const unheard = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error) || isGrpcServiceError((error as Error | undefined)?.cause)
  return unheard ? new NoAnswerYet('Temporal did not answer in time', { cause: error }) : error
}
