/** What happens at the provider by itself as time passes: holds run out, slow payment methods decide. Also after a restart. */
import type { Intent, PaymentRecords } from './records'
import type { Books } from '../books'

export interface Clock {
  watch(intent: Intent): void
  stop(): void
}

export interface ClockWork {
  books: Books<PaymentRecords>
  expire(intent: Intent): void
  settle(intent: Intent): void
}

const tickMs = 100

export function startClock(work: ClockWork): Clock {
  // Every hold lasts equally long, so in order of insertion the first is the next to run out.
  const holds = new Map<string, number>()
  const processing = new Map<string, number>()
  const watch = (intent: Intent): void => {
    note(holds, intent.id, intent.holdEndsMs)
    note(processing, intent.id, intent.settlesMs)
  }
  const inOrder = (intent: Intent): number => intent.holdEndsMs ?? 0
  for (const intent of work.books.all('intent').sort((a, b) => inOrder(a) - inOrder(b))) watch(intent)

  const run = (id: string, effect: (intent: Intent) => void): void => {
    const intent = work.books.get('intent', id)
    if (intent) effect(intent)
    work.books.commit()
  }
  const timer = setInterval(() => {
    const now = Date.now()
    for (const [id, endsMs] of holds) {
      if (endsMs > now) break
      run(id, work.expire)
    }
    for (const [id, dueMs] of processing) if (dueMs <= now) run(id, work.settle)
  }, tickMs)
  return { watch, stop: () => clearInterval(timer) }
}

function note(due: Map<string, number>, id: string, atMs: number | undefined): void {
  if (atMs === undefined) due.delete(id)
  else if (!due.has(id)) due.set(id, atMs)
}
