/** Beats while an activity that calls the outside is under way, so that a killed worker is noticed in seconds and its work goes on elsewhere. */
import { Context } from '@temporalio/activity'

const everyMs = 2_000

type Activity = (...args: never[]) => Promise<unknown>

export function withHeartbeats<Table extends Record<string, Activity>>(table: Table): Table {
  const wrap =
    (run: Activity): Activity =>
    async (...args) => {
      const context = Context.current()
      const beat = setInterval(() => context.heartbeat(), everyMs)
      try {
        return await run(...args)
      } finally {
        clearInterval(beat)
      }
    }
  return Object.fromEntries(Object.entries(table).map(([name, run]) => [name, wrap(run)])) as Table
}
