/** Who sends a node's own drivers out: waits until a wave is full, has waited long enough or must leave, and closes it. Lives as long as the node does, in one run after another. */
import { continueAsNew, defineSignal, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow'
import { parcelsWaitSignal, type DispatchStart } from '../domain/delivery/run-messages'
import { durationMs } from '../domain/policy/duration'
import type { WaitingAt } from '../db/dispatch'
import { fleet } from './support/activities'
import { createAlarm } from './support/alarm'
import { now } from './support/clock'

const parcelsWait = defineSignal(parcelsWaitSignal)

export async function dispatch(start: DispatchStart): Promise<void> {
  let told = 0
  setHandler(parcelsWait, () => void (told += 1), { description: 'Something waits for a driver; how much is looked up.' })
  const { until } = createAlarm()
  for (let heard = -1; !isLong(); ) {
    await until(() => told !== heard, Number.POSITIVE_INFINITY, 'Parcels to wait')
    heard = told
    const waiting = await fleet(`Look what waits at ${start.nodeId}`).lookAtDispatch({ nodeId: start.nodeId })
    setCurrentDetails(`${waiting.count} wait at ${start.nodeId}`)
    if (waiting.count === 0) continue
    const closesAt = closing(waiting, start)
    if (now() < closesAt) {
      // More may come until then; and a person may close it by hand, which leaves nothing to close.
      if (await until(() => told !== heard, closesAt, `Wave closes at ${new Date(closesAt).toISOString()}`)) continue
    }
    const { left } = await fleet(`Close the wave at ${start.nodeId}`).closeWave({ nodeId: start.nodeId })
    if (left > 0 && !(await until(() => told !== heard, now() + durationMs(start.lookAgainEvery), 'A driver to be free'))) heard = -1
  }
  await continueAsNew<typeof dispatch>(start)
}

/** A history that people can still read; what is unheard is looked up by the next run, which begins by looking. */
const isLong = (): boolean => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > mostEvents
const mostEvents = 800

/** A full wave closes at once; else when the first of it has waited long enough, or could not be in time any more. */
function closing({ count, since, dueAt }: WaitingAt, { waveSize, waveWait }: DispatchStart): number {
  if (count >= waveSize) return now()
  const waitMs = durationMs(waveWait)
  return Math.min(Date.parse(since!) + waitMs, dueAt === null ? Number.POSITIVE_INFINITY : Date.parse(dueAt) - 2 * waitMs)
}
