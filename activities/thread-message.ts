/** What a thread tells the process that started it (`in-thread.ts`): how far it is, and in the end its answer. */
import { parentPort } from 'node:worker_threads'

export type ThreadMessage = { done: number } | { answer: unknown }

export const say = (message: ThreadMessage): void => parentPort!.postMessage(message)
