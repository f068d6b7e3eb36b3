/** Tells what breaks a rule of our tables from what may yet work: a row that must be there and is not, a value that may not be. */
import { Refusal, refuse } from '../domain/refusals'

/** SQLSTATE class 23: integrity constraint violation. */
const integrity = /^23...$/

/** @returns which rule, by its name; undefined where it is something else. Nothing of what was written is in it. */
export function violated(error: unknown): string | undefined {
  const { code, severity, constraint, table, column } = (error ?? {}) as { code?: unknown; severity?: unknown; constraint?: string; table?: string; column?: string }
  if (severity === undefined || typeof code !== 'string' || !integrity.test(code)) return undefined
  return `${code} ${constraint ?? [table, column].filter(Boolean).join('.')}`
}

/** What ends the second half of a command, with the money of its first half held: a rule that says no, or what the database never takes. Then that money is let go. @throws whatever else it is, to be tried again */
export function endedBy(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause
  const rule = violated(cause)
  if (rule === undefined) throw cause
  return refuse('command.broken', { rule })
}
