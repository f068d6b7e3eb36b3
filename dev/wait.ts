/** Waiting for a fact of the outside world, with a deadline. */
import { setTimeout as pause } from 'node:timers/promises'

const betweenMs = 40

/** Asks until `isSo` says yes. @returns false when `withinMs` have passed. */
export async function waitUntil(isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs
  for (;;) {
    if (await isSo()) return true
    if (Date.now() >= deadline) return false
    await pause(betweenMs)
  }
}
