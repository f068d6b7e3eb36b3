/** One driver's trip as a story: each step is told to the orders on board by one activity; somebody is told when the driver does not leave, or does not come back. */
import { allHandlersFinished, condition, defineSignal, setCurrentDetails, setHandler } from '@temporalio/workflow'
import { runSteppedSignal, type RunStart, type RunStepped } from '../domain/delivery/run-messages'
import { durationMs } from '../domain/policy/duration'
import { fleet } from './support/activities'
import { createAlarm } from './support/alarm'
import { now } from './support/clock'

const runStepped = defineSignal<[RunStepped]>(runSteppedSignal)

export async function deliveryRun(start: RunStart): Promise<string> {
  const steps: RunStepped[] = []
  let told = 0
  let end: string | undefined
  let departed = false
  let moved = 0
  setHandler(runStepped, (step) => void steps.push(step), { description: 'Something happened on the run; its rows are already up to date.' })
  const { until } = createAlarm()
  const watch = async (): Promise<void> => {
    if (!(await until(() => departed || end !== undefined, Date.parse(start.departBy), `Departure by ${start.departBy}`))) await fleet('The driver has not left').reportLateRun({ runId: start.runId, what: 'not_departed' })
    await condition(() => departed || end !== undefined)
    // From the last thing that was heard of him: a driver who is slow is not a driver who is lost.
    for (let seen = -1; end === undefined && seen !== moved; ) {
      seen = moved
      await until(() => end !== undefined || moved !== seen, now() + durationMs(start.returnWithin), 'Something to be heard of the driver')
    }
    if (end === undefined) await fleet('Nothing is heard of the driver').reportLateRun({ runId: start.runId, what: 'not_returned' })
  }
  const watching = watch()
  while (end === undefined) {
    await condition(() => steps.length > told)
    const step = steps[told]!
    told += 1
    moved += 1
    setCurrentDetails(`${start.driverId} · ${start.stops} stops · ${step.what}`)
    await fleet(`Tell the orders: ${step.what}`).tellOrders({ runId: start.runId, number: step.number })
    if (step.what === 'departed') departed = true
    if (step.what === 'returned' || step.what === 'cancelled') end = step.what
  }
  await watching
  await condition(allHandlersFinished)
  return end
}
