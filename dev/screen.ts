/** What `npm start` and `npm test` print while they set things up: a line per thing, with how long it took; progress where it takes long. */

export interface Screen {
  line(text?: string): void
  /** Runs `work`, showing what is going on and, when done, what its answer says (or nothing). */
  step<T>(what: string, work: (say: (doing: string) => void) => Promise<T>, done: (answer: T) => string | undefined): Promise<T>
}

interface Output {
  write(text: string): unknown
  isTTY?: boolean
}

const labelWidth = 14

/** On a terminal one line is rewritten every second; elsewhere a line now and then says that it is still going on. */
export function createScreen(out: Output = process.stdout, now: () => number = Date.now): Screen {
  const isTerminal = Boolean(out.isTTY)
  const line = (text = ''): void => void out.write(`${text}\n`)

  const step: Screen['step'] = async (what, work, done) => {
    const since = now()
    let doing = ''
    const show = (): void => {
      const text = `  ${what.padEnd(labelWidth)} ${doing || '…'} ${elapsed(now() - since)}`
      out.write(isTerminal ? `\r\x1b[2K${text}` : `${text}\n`)
    }
    const ticking = setInterval(() => (isTerminal || doing) && show(), isTerminal ? 1_000 : 15_000)
    try {
      const answer = await work((next) => {
        const isNews = next !== doing
        doing = next
        if (isNews) show()
      })
      if (isTerminal) out.write('\r\x1b[2K')
      const told = done(answer)
      if (told !== undefined) line(`  ${what.padEnd(labelWidth)} ${told} (${((now() - since) / 1000).toFixed(1)} s)`)
      return answer
    } catch (error) {
      if (isTerminal) out.write('\r\x1b[2K')
      throw error
    } finally {
      clearInterval(ticking)
    }
  }
  return { line, step }
}

/** `0:07`, `3:12`. */
export const elapsed = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`
