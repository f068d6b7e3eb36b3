/** The log of a process: one JSON line per happening. Bodies, query strings, names, card data and keys are never logged; what could carry them is cut out here once more. */
import pino, { type DestinationStream, type Logger } from 'pino'

export const createLog = (level: string, name: string, to?: DestinationStream): Logger =>
  pino(
    {
      level,
      base: { process: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['authorization', 'headers', '*.authorization', '*.headers'], censor: '[hidden]' },
      serializers: { err: describe },
    },
    to ?? pino.destination(1),
  )

interface Thrown extends Error {
  code?: string
  severity?: string
  table?: string
  constraint?: string
  cause?: unknown
}

/** An error without its payload: a database error's message quotes the statement with its values, so only its code and place are kept. */
function describe(error: Thrown): Record<string, unknown> {
  const { name, code, severity, table, constraint, cause } = error
  const fromDatabase = severity !== undefined
  return {
    type: name,
    code,
    message: fromDatabase ? `database error ${code} at ${constraint ?? table ?? 'an unnamed place'}` : error.message,
    stack: error.stack?.split('\n').filter((line) => line.startsWith('    at ')).join('\n'),
    ...(cause instanceof Error ? { cause: describe(cause) } : {}),
  }
}
