/** Tells what breaks a rule of our tables from what may yet work: a row that must be there and is not, a value that may not be. */

/** SQLSTATE class 23: integrity constraint violation. */
const integrity = /^23...$/

/** @returns which rule, by its name; undefined where it is something else. Nothing of what was written is in it. */
export function violated(error: unknown): string | undefined {
  const { code, severity, constraint, table, column } = (error ?? {}) as { code?: unknown; severity?: unknown; constraint?: string; table?: string; column?: string }
  if (severity === undefined || typeof code !== 'string' || !integrity.test(code)) return undefined
  return `${code} ${constraint ?? [table, column].filter(Boolean).join('.')}`
}
