/** One command at a time per order: whoever comes second waits for the first to finish, and finds the state the first has left. */
import { CancellationScope } from '@temporalio/workflow'

export type Lock = <Result>(work: () => Promise<Result>) => Promise<Result>

export function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    // Half a command is worse than a late one: a cancellation of the workflow itself does not reach into it.
    const shielded = () => CancellationScope.nonCancellable(work)
    const mine = last.then(shielded, shielded)
    last = mine.catch(() => undefined)
    return mine
  }
}
