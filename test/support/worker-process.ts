/** A worker or an api as it runs in production: a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface WorkerProcess {
  /** kill −9: no goodbye. */
  kill(): Promise<void>
  /** Everything it has logged. */
  said(): string
}

const root = join(__dirname, '../..')

/** Ready when it says so. @throws with what it said when it ends before. */
export const startWorkerProcess = (env: Record<string, string>): Promise<WorkerProcess> => start('worker', 'worker.ts', env)

/** The same for an api; it listens on any free port. */
export const startApiProcess = (env: Record<string, string>): Promise<WorkerProcess> => start('api', 'api/server.ts', { ...env, PORT: '0' })

async function start(name: 'worker' | 'api', file: string, env: Record<string, string>): Promise<WorkerProcess> {
  const tsx = pathToFileURL(require.resolve('tsx')).href
  const child = spawn(process.execPath, ['--import', tsx, join(root, file)], { cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (data: Buffer): void => {
      said += data.toString()
      if (said.includes(`"msg":"${name} ready"`)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', () => reject(new Error(`the ${name} ended: ${said.slice(-2_000)}`)))
  })
  return {
    said: () => said,
    kill: async () => {
      running.delete(child)
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Whatever ends the test process ends its workers. */
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))
