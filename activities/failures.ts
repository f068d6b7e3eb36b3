/** Turns our three kinds of trouble into what Temporal understands: a refusal is final and typed by its code, a fault is retried, a broken invariant stays a plain error. What breaks a rule of the database is named, so that a command can end with it. */
import { ApplicationFailure } from '@temporalio/common'
import { violated } from '../db/integrity'
import { neverTaken, Refusal } from '../domain/refusals'
import { CarrierRefusal, ProviderFault } from './ports'

export const faultType = 'ProviderFault'

type Activity = (...args: never[]) => Promise<unknown>

/**
 * Wraps every activity of a table, so that no activity has to think of it.
 * @param tries of a transaction of ours that breaks a rule of the database: another one may just have written what it did not see
 */
export function translateFailures<Table extends Record<string, Activity>>(table: Table, tries = 1): Table {
  const wrap =
    (run: Activity): Activity =>
    async (...args) => {
      for (let left = tries; ; left -= 1) {
        try {
          return await run(...args)
        } catch (cause) {
          if (left <= 1 || violated(cause) === undefined) throw translated(cause)
        }
      }
    }
  return Object.fromEntries(Object.entries(table).map(([name, run]) => [name, wrap(run)])) as Table
}

function translated(cause: unknown): unknown {
  if (cause instanceof Refusal) return ApplicationFailure.create({ message: cause.message, type: cause.code, nonRetryable: true, details: [cause.data] })
  if (cause instanceof ProviderFault) return ApplicationFailure.create({ message: cause.message, type: faultType, cause })
  if (cause instanceof CarrierRefusal) return ApplicationFailure.create({ message: cause.message, type: 'CarrierRefusal', nonRetryable: true, cause }) // asked again only when somebody has had time to do something
  const rule = violated(cause)
  if (rule !== undefined) return ApplicationFailure.create({ message: rule, type: neverTaken }) // without its cause: that may quote a customer
  return cause
}
