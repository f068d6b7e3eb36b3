/** One run of `npm start` as seen by whoever ends it: Ctrl-C once stops in order, twice at once; a child that dies, or a failed set-up, stops everything too. */
import { inOneLine } from './complaint'
import type { Screen } from './screen'
import type { Supervisor } from './supervise'
import type { RunRecord } from './run-record'

export interface Session {
  /** Aborted as soon as we begin to leave, for whatever reason. */
  leaving: AbortSignal
  /** From here on, leaving stops these. */
  hold(what: { supervisor?: Supervisor; record?: RunRecord }): void
  /** Says why in one line, stops everything, ends with code 1. */
  fail(error: unknown): void
}

/** npm passes a terminal's Ctrl-C on to us, which got it already: only one that comes later is a second one. */
const samePressMs = 800

export function openSession(screen: Screen): Session {
  const leaving = new AbortController()
  const held: { supervisor?: Supervisor; record?: RunRecord } = {}
  let pressedAt: number | undefined

  const leave = async (code: number): Promise<never> => {
    leaving.abort()
    await held.supervisor?.stop()
    held.record?.release()
    if (code === 0) screen.line('Stopped. The data is in .data/ for the next start.')
    process.exit(code)
  }
  const pressed = (): void => {
    if (pressedAt !== undefined) {
      if (Date.now() - pressedAt > samePressMs) held.supervisor?.force()
      return
    }
    pressedAt = Date.now()
    if (leaving.signal.aborted) return
    screen.line('\nStopping, newest first (Ctrl-C again: at once) …')
    void leave(0)
  }
  const fail = (error: unknown): void => {
    if (leaving.signal.aborted) return
    console.error(inOneLine(error))
    void leave(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pressed)
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  process.stdout.on('error', () => undefined) // a terminal that is gone must not keep us from stopping in order
  process.stderr.on('error', () => undefined)
  return { leaving: leaving.signal, hold: (what) => void Object.assign(held, what), fail }
}
