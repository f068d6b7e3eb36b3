/** What the project asks Temporal to do regularly. Made or brought up to date by every worker that starts; there is one of each per installation. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client'
import { sweepScheduleId, sweepWorkflowType, taskQueues } from '../domain/ids'

/** Nobody is refused for what an expired hold keeps, swept or not: this only tidies up, and needs no hurry. */
const sweepEveryMs = 60_000

/** @param everyMs how often; tests are in a hurry. */
export async function scheduleSweep(client: Client, queuePrefix: string, everyMs = sweepEveryMs): Promise<void> {
  const { scheduleId, ...wanted } = sweepSchedule(queuePrefix, everyMs)
  try {
    await client.schedule.create({ scheduleId, ...wanted })
  } catch (cause) {
    if (!(cause instanceof ScheduleAlreadyRunning)) throw cause
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }))
  }
}

const sweepSchedule = (queuePrefix: string, everyMs: number): ScheduleOptions => ({
  scheduleId: sweepScheduleId(queuePrefix),
  spec: { intervals: [{ every: everyMs }] },
  action: { type: 'startWorkflow', workflowType: sweepWorkflowType, workflowId: sweepScheduleId(queuePrefix), taskQueue: queuePrefix + taskQueues.orders, args: [] },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
})
