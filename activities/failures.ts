/** Turns our three kinds of trouble into what Temporal understands: a refusal is final and typed by its code, a fault is retried, a broken invariant stays a plain error. */
import { ApplicationFailure } from '@temporalio/common'
import { Refusal } from '../domain/refusals'
import { CarrierRefusal, ProviderFault } from './ports'

export const faultType = 'ProviderFault'

type Activity = (...args: never[]) => Promise<unknown>

/** Wraps every activity of a table, so that no activity has to think of it. */
export function translateFailures<Table extends Record<string, Activity>>(table: Table): Table {
  const wrap =
    (run: Activity): Activity =>
    async (...args) => {
      try {
        return await run(...args)
      } catch (cause) {
        throw translated(cause)
      }
    }
  return Object.fromEntries(Object.entries(table).map(([name, run]) => [name, wrap(run)])) as Table
}

function translated(cause: unknown): unknown {
  if (cause instanceof Refusal) return ApplicationFailure.create({ message: cause.message, type: cause.code, nonRetryable: true, details: [cause.data] })
  if (cause instanceof ProviderFault) return ApplicationFailure.create({ message: cause.message, type: faultType, cause })
  if (cause instanceof CarrierRefusal) return ApplicationFailure.create({ message: cause.message, type: 'CarrierRefusal', nonRetryable: true, cause }) // asked again only when somebody has had time to do something
  return cause
}
