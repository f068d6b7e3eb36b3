/** Long computations run in a thread of their own, one at a time of each kind, so that order workflows of the same process are not kept waiting. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { LabTask } from './lab-thread'
import type { RoutingTask } from './routing-thread'
import type { ThreadMessage } from './thread-message'

export interface InThread {
  signal: AbortSignal
  progress?: (done: number) => void
}

export interface ThreadTasks {
  lab: LabTask
  routing: RoutingTask
}
type Kind = keyof ThreadTasks

const files: Record<Kind, () => string> = { lab: () => require.resolve('./lab-thread'), routing: () => require.resolve('./routing-thread') }
const last: Record<Kind, Promise<unknown>> = { lab: Promise.resolve(), routing: Promise.resolve() }

/** Waits for its turn. @throws what the computation throws; aborted, the thread is gone when this has ended. */
export function inThread<Answer, K extends Kind = Kind>(kind: K, task: ThreadTasks[K], options: InThread): Promise<Answer> {
  const turn = last[kind].then(() => compute<Answer>(files[kind](), task, options))
  last[kind] = turn.catch(() => undefined)
  return turn
}

function compute<Answer>(path: string, task: object, { signal, progress }: InThread): Promise<Answer> {
  signal.throwIfAborted()
  const thread = startThread(path, task)
  const stop = (): void => void thread.terminate()
  signal.addEventListener('abort', stop)
  return new Promise<Answer>((resolve, reject) => {
    thread.on('message', (message: ThreadMessage) => ('answer' in message ? resolve(message.answer as Answer) : progress?.(message.done)))
    thread.once('error', reject)
    thread.once('exit', (code) => reject(signal.aborted ? (signal.reason as Error) : new Error(`the thread ended with ${code} before it answered`)))
  }).finally(() => {
    signal.removeEventListener('abort', stop)
    return thread.terminate()
  })
}

/** From the built files as they are; from the sources through the same translation as the process itself, which a thread does not inherit. */
function startThread(path: string, workerData: object): Worker {
  if (extname(path) === '.js') return new Worker(path, { workerData })
  const load = [require.resolve('tsx/cjs'), path].map((file) => `require(${JSON.stringify(file)})`)
  return new Worker(load.join('\n'), { workerData, eval: true })
}
