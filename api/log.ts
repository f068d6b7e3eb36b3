/** The log of a process: one JSON line per happening. Bodies, query strings, names, card data and keys are never logged; what quotes them all the same, such as the error of a library, is cut out here once more. */
import pino, { type DestinationStream, type Logger } from 'pino'

/** @param secrets texts that no line may hold, whoever quotes them: those of the environment (config.ts) */
export const createLog = (level: string, name: string, to?: DestinationStream, secrets: readonly string[] = []): Logger => {
  const hide = hiding(secrets)
  return pino(
    {
      level,
      base: { process: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['authorization', 'headers', 'cookie', '*.authorization', '*.headers', '*.cookie', '*.password', '*.secret', '*.apiKey'], censor: hidden },
      serializers: { err: describe },
      hooks: { streamWrite: hide },
    },
    to ?? pino.destination(1),
  )
}

const hidden = '[hidden]'

/** What looks like a secret, wherever it came from: keys of ours and of providers, what stands behind Bearer, passwords in addresses, links of customers. */
const shapes: readonly [RegExp, string][] = [
  [/\btl_live_[0-9A-Za-z]+/g, hidden],
  [/\b[sr]k_(?:live|test)_[0-9A-Za-z_]+/g, hidden],
  [/\bwhsec_[0-9A-Za-z_+/=]+/g, hidden],
  [/\b(Bearer|Basic)\s+[^\s"\\,]+/gi, `$1 ${hidden}`],
  [/(\w:\/\/[^\s:/@"\\]*:)[^\s@"\\]+@/g, `$1${hidden}@`],
  [/\/t\/[\w-]{8,}/g, `/t/${hidden}`],
]

/** A secret as it is, as it stands in an address, and as it stands in JSON. The longest first: one may be the beginning of another. */
function hiding(secrets: readonly string[]): (line: string) => string {
  const written = [...new Set(secrets.filter((s) => s.length >= shortest).flatMap((s) => [s, encodeURIComponent(s), JSON.stringify(s).slice(1, -1)]))].sort((a, b) => b.length - a.length)
  const known = written.length ? new RegExp(written.map((s) => s.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'g') : undefined
  return (line) => shapes.reduce((text, [shape, instead]) => text.replace(shape, instead), known ? line.replace(known, hidden) : line)
}
/** Shorter ones would stand in words by chance. */
const shortest = 6

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
