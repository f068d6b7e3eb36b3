/** The names things go by outside a single table: workflow ids, update ids, task queues. Built here and nowhere else, so that people can guess them. */

/** `order:<channel>:<channelOrderId>`: the id an operator types into the Temporal UI. */
export const orderWorkflowId = (channel: string, channelOrderId: string): string => `order:${channel}:${channelOrderId}`

/** `back-test:<id>`: a question to the policy lab. */
export const backTestWorkflowId = (backTestId: string): string => `back-test:${backTestId}`

/** `dispatch:<nodeId>`: who sends a node's own drivers out. */
export const dispatchWorkflowId = (nodeId: string): string => `dispatch:${nodeId}`
export const dispatchWorkflowType = 'dispatch'

/** `run:<nodeId>:<date>:<n>`: one driver's trip. */
export const runWorkflowId = ({ nodeId, date, number }: { nodeId: string; date: string; number: number }): string => `run:${nodeId}:${date}:${number}`
export const runWorkflowType = 'deliveryRun'

/** `re-optimisation:<id>`, and `…:apply`: open orders planned again together. */
export const reOptimisationWorkflowId = (id: string, apply: boolean): string => `re-optimisation:${id}${apply ? ':apply' : ''}`
export const reOptimisationWorkflowType = 'reOptimisation'

/** Task queues by the party they talk to, so each can be scaled and slowed on its own. */
export const taskQueues = {
  orders: 'orders',
  payments: 'payments',
  carriers: 'carriers',
} as const
export type TaskQueue = keyof typeof taskQueues

/** What the order workflow is registered as. */
export const orderWorkflowType = 'order'

/** The schedule that gives back expired holds, and what it starts; installations that share a namespace have one each. */
export const sweepScheduleId = (queuePrefix: string): string => `${queuePrefix}sweep-reservations`
export const sweepWorkflowType = 'sweep'
/** What the workflow of a back-test is registered as. */
export const backTestWorkflowType = 'backTest'
