/** Runs one command to its end. It has a process group of its own, so that leaving early takes everything it started with it. */
import { spawn } from 'node:child_process'

export interface CommandOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  uid?: number
  gid?: number
  /** Aborted: the whole group is ended and the answer's code is null. */
  signal?: AbortSignal
}
export interface Ran {
  code: number | null
  stdout: string
  /** Both streams, the newest 16,000 characters. */
  output: string
}

/** @throws when the command cannot be started at all (`ENOENT`: there is no such program). */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const { signal, ...place } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...place, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, output] = ['', '']
    const end = (): void => endGroup(child.pid, 'SIGKILL')
    signal?.addEventListener('abort', end, { once: true })
    process.once('exit', end)
    child.stdout.on('data', (chunk) => (stdout += String(chunk)))
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + String(chunk)).slice(-16_000)))
    const settle = (): void => {
      signal?.removeEventListener('abort', end)
      process.removeListener('exit', end)
    }
    child.once('error', (error) => (settle(), reject(error)))
    child.once('close', (code) => (settle(), resolve({ code, stdout, output })))
    if (signal?.aborted) end()
  })
}

/** Signals a whole process group; one that is gone is none of our business. */
export function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal)
      return
    } catch {
      // No such group (yet): the process itself is tried, then there is nothing left to end.
    }
  }
}
