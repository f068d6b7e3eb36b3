/** Temporal's runtime logs through pino, so that a process speaks with one voice. */
import type { Logger, LogMetadata } from '@temporalio/worker'
import type pino from 'pino'

export function temporalLogger(log: pino.Logger): Logger {
  const write =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta?: LogMetadata): void =>
      log[level](plain(meta), message)
  return {
    log: (level, message, meta) => write(level.toLowerCase() as 'info')(message, meta),
    trace: write('trace'),
    debug: write('debug'),
    info: write('debug'),
    warn: write('warn'),
    error: write('error'),
  }
}

/** Only what helps to find the place: ids and the error, never arguments. */
const plain = (meta: LogMetadata = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(meta).filter(([key]) => ['workflowId', 'runId', 'activityType', 'taskQueue', 'error', 'attempt'].includes(key)).map(([k, v]) => [k === 'error' ? 'err' : k, v]))
