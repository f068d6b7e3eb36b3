/** How this workflow calls the outside: options per party in one place. Timeouts and retries live here; business deadlines come with the policy. */
import { ActivityCancellationType, proxyActivities, proxyLocalActivities, workflowInfo, type ActivityOptions, type LocalActivityOptions } from '@temporalio/workflow'
import { neverTaken } from '../../domain/refusals'
import { inTurn, takingTurns } from './turns'
import type { CarrierActivities, FleetActivities, LabActivities, OrderSteps, PaymentActivities } from '../../activities'

/** Our own database: one short transaction, tried again until it is there. Only a refusal ends it: what breaks for a bug of ours waits until that is mended. */
const stepOptions = {
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '1 minute',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
} as const

/**
 * A provider's first patience: a few quick attempts. After that the order waits on a named thing and tries again at the pace of its policy,
 * so that people can see it. Cancelling waits for the attempt under way: money may be moving.
 */
const providerOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '8 seconds', // a killed worker is noticed by then
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 3, maximumInterval: '10 seconds', maximumAttempts: 4 },
} as const satisfies ActivityOptions

/** A long computation: begun again where its process died, which a missing beat tells; given up when it keeps failing. */
const labOptions = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 8 },
} as const satisfies ActivityOptions

/** Planning takes seconds at most, telling a wave of orders some more; tried again until it is done. */
const fleetOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds', // a killed worker is noticed by then
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
} as const satisfies ActivityOptions

/** A step in our database, with the sentence the Temporal UI shows for it. */
export const step = (summary: string): OrderSteps => steps({ ...stepOptions, summary })

/** A step that somebody asked for. It has the order's lock: where a bug of ours lets the database never take it, that is the answer, and the order hears whoever comes next. */
export const asked = (summary: string): OrderSteps => steps({ ...stepOptions, retry: { ...stepOptions.retry, nonRetryableErrorTypes: [neverTaken] }, summary })

export const payments = (summary: string): PaymentActivities => proxyActivities<PaymentActivities>({ ...providerOptions, summary, taskQueue: queue('payments') })

export const carriers = (summary: string): CarrierActivities => proxyActivities<CarrierActivities>({ ...providerOptions, summary, taskQueue: queue('carriers') })

export const lab = (summary: string): LabActivities => proxyActivities<LabActivities>({ ...labOptions, summary })

/** What dispatchers and runs ask: our own database, and word to the orders on board. */
export const fleet = (summary: string): FleetActivities => proxyActivities<FleetActivities>({ ...fleetOptions, summary })

/** Local activities, whose results take turns. */
function steps(options: LocalActivityOptions): OrderSteps {
  const called = proxyLocalActivities<OrderSteps>(options)
  return takingTurns() ? new Proxy(called, { get: (_, name: keyof OrderSteps) => (...args: never[]) => inTurn((called[name] as (...given: never[]) => Promise<unknown>)(...args)) }) : called
}

/** Queues of one installation share a prefix: `shop-orders` → `shop-payments`. */
const queue = (name: 'payments' | 'carriers'): string => workflowInfo().taskQueue.replace(/orders$/, name)
