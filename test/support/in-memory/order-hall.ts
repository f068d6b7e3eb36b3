/** Every order's workflow in this process: started, asked and told as the relay does over Temporal. Only to be loaded where `@temporalio/workflow` is stood in for. */
import { asyncLocalStorage } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import type { createActivities } from '../../../activities'
import type { Db } from '../../../db/connection'
import { beginsAgain } from '../../../db/left-undone'
import { findOrder, orderByNumber, type OrderRow } from '../../../db/orders'
import { leaseStarts, loadStart, startDone } from '../../../db/starts'
import { orderWorkflowId } from '../../../domain/ids'
import { reopening, signals, type OrderStart } from '../../../domain/messages'
import { isRefusalCode, refuse } from '../../../domain/refusals'
import type { Threads } from '../../../relay/threads'
import { order as orderWorkflow } from '../../../workflows/order'
import { Run, wired } from './workflow'

type Activities = ReturnType<typeof createActivities>

export interface Hall extends Threads {
  /** Starts what waits in the start queue. */
  startAll(): Promise<void>
  runOf(orderId: string): Run | undefined
}

/** @param relay deals what the inbox has; @returns how much was ever dealt, to whomever */
export function openHall(db: Db, activities: () => Activities, relay: () => Promise<number>): Hall {
  const runs = new Map<string, Run>()
  const workflowIds = new Map<string, string>()
  /** Nothing is told again here, and modules are shared by all runs: nobody takes turns. */
  const begin = ({ manner: _, ...start }: OrderStart): Run => {
    const { orders, payments, carriers } = activities()
    const run = new Run(start.orderId, { ...orders, ...payments, ...carriers } as never, asInWorker)
    const workflowId = orderWorkflowId(start.channel, start.channelOrderId)
    workflowIds.set(start.orderId, workflowId)
    runs.set(workflowId, run)
    run.begin(() => orderWorkflow(wired(start) as OrderStart))
    return run
  }
  const openRun = (order: Pick<OrderRow, 'channel' | 'channelOrderId'>): Run | undefined => {
    const run = runs.get(orderWorkflowId(order.channel, order.channelOrderId))
    return run?.isOver ? undefined : run
  }
  const start = async (orderId: string): Promise<void> => {
    const { start: given } = await loadStart(db, orderId)
    if (!runs.has(orderWorkflowId(given.channel, given.channelOrderId))) begin(given)
  }

  const ask: Threads['ask'] = async ({ orderId, update, args }) => {
    const order = await findOrder(db, orderId)
    if (!order) throw refuse('order.unknown')
    const reopens = reopening.includes(update) && order.stage !== 'cancelled'
    let run = openRun(order)
    for (;;) {
      if (!run && !reopens) throw order.stage === 'cancelled' ? refuse('order.already_cancelled', { state: 'cancelled' }) : refuse('order.closed', { state: order.stage })
      run ??= begin({ ...(await loadStart(db, orderId)).start, reopened: true })
      try {
        const answer = run.answers.get(args.commandId) ?? run.tell(`update ${update}`, [wired(args)])
        run.answers.set(args.commandId, answer)
        return wired(await inItsTime(run, answer, relay))
      } catch (cause) {
        if (!(cause instanceof ApplicationFailure) || !isRefusalCode(cause.type)) throw cause
        if (!(reopens && cause.type === 'order.closed')) throw refuse(cause.type, (cause.details?.[0] ?? {}) as Record<string, unknown>, cause.message)
        await run.quiet()
        run = undefined
      }
    }
  }

  const tell: Threads['tell'] = async (order, signal, fact) => {
    let run = openRun(order)
    if (!run && (await beginsAgain(db, order, signal, fact))) {
      const { orderId, stage } = (await orderByNumber(db, order.channel, order.channelOrderId))!
      run = begin({ ...(await loadStart(db, orderId)).start, reopened: true, ...(stage === 'cancelled' && { cancelled: true }) })
    }
    run?.tell(`signal ${signal}`, [wired(fact)]).catch(() => undefined) // nobody waits for what comes of it
    return run !== undefined
  }
  const retryException: Threads['retryException'] = async (orderId, exceptionId) => {
    const order = await findOrder(db, orderId)
    if (order) await tell(order, signals.exceptionRetried, { exceptionId })
  }
  const startAll = async (): Promise<void> => {
    for (const { orderId } of await leaseStarts(db, { limit: 100, leaseMs: 30_000, leftoversOnly: false })) {
      await start(orderId)
      await startDone(db, orderId)
    }
  }
  return { start, ask, tell, retryException, startAll, runOf: (orderId) => runs.get(workflowIds.get(orderId) ?? '') }
}

/** Where the answer waits for what was told, a deadline or another attempt, that comes. */
async function inItsTime(run: Run, answer: Promise<unknown>, relay: () => Promise<number>): Promise<unknown> {
  let isThere = false
  const there = answer.finally(() => (isThere = true))
  there.catch(() => undefined)
  for (let [seen, turns] = [-1, 0]; ; turns += 1) {
    if (turns > 10_000) throw new Error(`it goes round in a circle: ${JSON.stringify(run.told())}`)
    await run.quiet()
    await new Promise((resolve) => setImmediate(resolve))
    if (isThere) break
    const dealt = await relay()
    if (dealt === seen && !isThere && !run.elapse()) throw new Error(`it waits for nobody: ${JSON.stringify(run.told())}`, { cause: run.broken })
    seen = dealt
  }
  return there
}

/** What an activity may ask of the worker it runs in. */
const asInWorker = (activity: () => Promise<unknown>): Promise<unknown> => asyncLocalStorage.run({ heartbeat: () => undefined } as never, activity)
