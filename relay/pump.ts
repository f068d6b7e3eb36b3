/** Empties a leased queue with bounded concurrency: woken when something is known to be in it, and by itself now and then in case nobody said. */
import type { Logger } from 'pino'

export interface Pump {
  /** Something may be in the queue. */
  wake(): void
  /** Takes nothing more and waits for what is under way. */
  stop(): Promise<void>
}

export interface PumpOptions<Item> {
  name: string
  concurrency: number
  /** How long it sleeps when the queue was empty and nobody wakes it. */
  idleMs: number
  take(limit: number): Promise<Item[]>
  /** Never throws for trouble of one item: it gives the item back to the queue. */
  handle(item: Item): Promise<void>
  log: Logger
}

export function startPump<Item>({ name, concurrency, idleMs, take, handle, log }: PumpOptions<Item>): Pump {
  const underWay = new Set<Promise<void>>()
  let stopped = false
  let ring: () => void = () => undefined
  let woken = false

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (woken || stopped) return resolve()
      const timer = setTimeout(resolve, ms)
      ring = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const begin = (item: Item): void => {
    const work = handle(item)
      .catch((error: unknown) => log.error({ err: error, pump: name }, 'an item of a queue failed'))
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }

  const turn = async (): Promise<void> => {
    woken = false
    const room = concurrency - underWay.size
    const items = room > 0 ? await take(room) : []
    items.forEach(begin)
    if (underWay.size >= concurrency) await Promise.race(underWay)
    else if (items.length === 0) await (underWay.size ? Promise.race([...underWay, sleep(idleMs)]) : sleep(idleMs))
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      await turn().catch(async (error: unknown) => {
        log.warn({ err: error, pump: name }, 'a queue cannot be read')
        await sleep(idleMs)
      })
    }
    await Promise.all(underWay)
  }

  const running = run()
  return {
    wake: () => {
      woken = true
      ring()
    },
    stop: () => {
      stopped = true
      ring()
      return running
    },
  }
}
