/** Empties a leased queue with bounded concurrency: woken when something is known to be in it, and by itself now and then in case nobody said. */
import type { Logger } from 'pino'

export interface Pump {
  /** Something may be in the queue. */
  wake(): void
  /** Takes nothing more and waits for what is under way. */
  stop(): Promise<void>
}

/** In a burst, answering the channels comes first: one at a time then, each after a pause. */
export const holdingBack = (pauseMs: () => number) => async (free: number): Promise<number> => {
  const pause = pauseMs()
  if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
  return pause > 0 ? 1 : free
}

export interface PumpOptions<Item> {
  name: string
  concurrency: number
  /** How long it sleeps when the queue was empty and nobody wakes it. */
  idleMs: number
  /** How many of the free places to use now; may take its time to say so. */
  use?: (free: number) => Promise<number>
  /** At most `limit`; as many as that means that there may be more. */
  take(limit: number): Promise<Item[]>
  /** Never throws for trouble of one item: it gives the item back to the queue. */
  handle(item: Item): Promise<void>
  log: Logger
}

export function startPump<Item>({ name, concurrency, idleMs, use = (free) => Promise.resolve(free), take, handle, log }: PumpOptions<Item>): Pump {
  const underWay = new Set<Promise<void>>()
  let stopped = false
  let mayHoldMore = true
  let ring: () => void = () => undefined

  /** Until somebody wakes it, or until it is time to look without having been told. */
  const sleep = (): Promise<void> =>
    new Promise<void>((resolve) => {
      if (mayHoldMore || stopped) return resolve()
      const timer = setTimeout(resolve, idleMs)
      ring = () => {
        clearTimeout(timer)
        resolve()
      }
    }).then(() => void (mayHoldMore = true))

  const begin = (item: Item): void => {
    const work = handle(item)
      .catch((error: unknown) => log.error({ err: error, pump: name }, 'an item of a queue failed'))
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }

  const turn = async (): Promise<void> => {
    if (underWay.size >= concurrency) return Promise.race(underWay)
    const limit = await use(concurrency - underWay.size)
    mayHoldMore = false
    const items = await take(limit)
    items.forEach(begin)
    if (items.length >= limit) mayHoldMore = true
    else await sleep()
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      await turn().catch(async (error: unknown) => {
        log.warn({ err: error, pump: name }, 'a queue cannot be read')
        await sleep()
      })
    }
    await Promise.all(underWay)
  }

  const running = run()
  return {
    wake: () => {
      mayHoldMore = true
      ring()
    },
    stop: () => {
      stopped = true
      ring()
      return running
    },
  }
}
