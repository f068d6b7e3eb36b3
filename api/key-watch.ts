/** A stream stays open for whoever opened it: its key is looked at again while it lasts, and it ends when the key does. */
import type { Response } from 'express'
import { Refusal } from '../domain/refusals'

const lookEveryMs = 2_000

/** @param known throws a refusal once the key is known no more; anything else it throws is the database's trouble, and changes nothing */
export function endWithKey(res: Response, known: () => Promise<unknown>): void {
  const timer = setInterval(() => {
    known().catch((cause: unknown) => {
      if (cause instanceof Refusal) res.destroy()
    })
  }, lookEveryMs)
  timer.unref()
  res.once('close', () => clearInterval(timer))
}
