/** Long computations run in a thread of their own, one at a time, so that order workflows of the same process are not kept waiting. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { LabMessage, LabTask } from './lab-thread'

export interface InThread {
  signal: AbortSignal
  progress?: (done: number) => void
}

let last: Promise<unknown> = Promise.resolve()

/** Waits for its turn. @throws what the computation throws; aborted, the thread is gone when this has ended. */
export function inThread<Answer>(task: LabTask, options: InThread): Promise<Answer> {
  const turn = last.then(() => compute<Answer>(task, options))
  last = turn.catch(() => undefined)
  return turn
}

function compute<Answer>(task: LabTask, { signal, progress }: InThread): Promise<Answer> {
  signal.throwIfAborted()
  const thread = startThread(task)
  const stop = (): void => void thread.terminate()
  signal.addEventListener('abort', stop)
  return new Promise<Answer>((resolve, reject) => {
    thread.on('message', (message: LabMessage) => ('answer' in message ? resolve(message.answer as Answer) : progress?.(message.done)))
    thread.once('error', reject)
    thread.once('exit', (code) => reject(signal.aborted ? (signal.reason as Error) : new Error(`the thread ended with ${code} before it answered`)))
  }).finally(() => {
    signal.removeEventListener('abort', stop)
    return thread.terminate()
  })
}

/** From the built files as they are; from the sources through the same translation as the process itself, which a thread does not inherit. */
function startThread(workerData: LabTask): Worker {
  const path = require.resolve('./lab-thread')
  if (extname(path) === '.js') return new Worker(path, { workerData })
  const load = [require.resolve('tsx/cjs'), path].map((file) => `require(${JSON.stringify(file)})`)
  return new Worker(load.join('\n'), { workerData, eval: true })
}
