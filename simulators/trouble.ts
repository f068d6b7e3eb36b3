/** Calls that go wrong on demand, as a channel's api has them: not done at all, or done and the answer lost. */
import type { Request, Response } from 'express'

export interface Trouble {
  /** The next calls go wrong: before or after they have done what they should. */
  fail(next: number, how?: { after?: boolean; skip?: number }): void
  /** Answers, or does it and loses the answer, or does not do it at all. */
  answering(work: (request: Request, response: Response) => void): (request: Request, response: Response) => void
}

export function createTrouble(): Trouble {
  let trouble = { next: 0, after: false, skip: 0 }
  return {
    fail: (next, { after = false, skip = 0 } = {}) => void (trouble = { next, after, skip }),
    answering: (work) => (request, response) => {
      const fails = trouble.next > 0 && trouble.skip === 0
      if (fails) trouble.next -= 1
      else if (trouble.skip > 0) trouble.skip -= 1
      if (fails && !trouble.after) return void response.status(503).json({ errors: [{ code: 'ServiceUnavailable' }] })
      if (fails) response.json = response.end = (): Response => (request.socket.resetAndDestroy(), response)
      work(request, response)
    },
  }
}
