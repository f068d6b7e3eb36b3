/** Reads the log files of the processes we start: from where a run began, and the one line that says why it ended. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** What was written after byte `offset`, at most the newest 200,000 bytes of it; '' when there is no such file. */
export function readFrom(file: string, offset: number): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const from = Math.max(offset, size - 200_000)
    const bytes = Buffer.alloc(Math.max(0, size - from))
    readSync(descriptor, bytes, 0, bytes.length, from)
    return bytes.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** The newest line that names an error, else the newest line at all; JSON log lines as their message. */
export function lastWords(log: string): string {
  const lines = log.split('\n').map((l) => l.trim()).filter(Boolean)
  const telling = lines.slice(-60).findLast((line) => isError.test(line) && !line.startsWith('at '))
  return inWords(telling ?? lines.at(-1) ?? '').slice(0, 300)
}

const isError = /error\b|FATAL|panic:|"level":(50|60)|cannot |refused/i

function inWords(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const entry = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return [entry.msg, entry.err?.message].filter(Boolean).join(': ') || line
  } catch {
    return line
  }
}
