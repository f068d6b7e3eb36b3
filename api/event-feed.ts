/** The live feed of events: one reader per process while anybody listens, however many do. A listener first gets what it missed, then what happens; one too slow to follow is let go and resumes with its Last-Event-ID. */
import { once } from 'node:events'
import type { Response } from 'express'
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { feedEnd, readFeed, readPast, type FeedEvent, type FeedFilter, type Position } from '../db/views/events'
import { invariant } from '../domain/invariant'

export interface EventFeed {
  /** Writes to `res` until the caller goes away or the feed is closed. `after` absent: from now on. */
  follow(res: Response, filter: FeedFilter, after?: Position): Promise<void>
  /** Ends every stream; their callers reconnect elsewhere. */
  close(): Promise<void>
}

const page = 500
const mostWaiting = 5_000

export function createEventFeed(db: Db, log: Logger, options: { everyMs?: number; heartbeatMs?: number } = {}): EventFeed {
  const listeners = new Set<Listener>()
  let followers = 0
  let position: Position | undefined
  let starting: Promise<void> | undefined
  let reading: Promise<void> = Promise.resolve()
  let closed = false

  const start = (): Promise<void> =>
    (starting ??= feedEnd(db).then(
      (end) => {
        position = end
        reading = read()
      },
      (error: unknown) => {
        starting = undefined
        throw error
      },
    ))

  /** Turns while anybody listens. A database that is away for a while delays the feed and loses nothing. */
  async function read(): Promise<void> {
    while (followers > 0 && !closed) {
      const events = await readFeed(db, position!, page).catch((err: unknown) => {
        log.warn({ err }, 'the event feed could not be read')
        return []
      })
      const last = events.at(-1)
      if (last) position = last
      for (const listener of listeners) listener.hear(events)
      if (events.length < page) await pause(options.everyMs ?? 250)
    }
    starting = position = undefined
  }

  const heartbeat = setInterval(() => listeners.forEach((listener) => listener.beat()), options.heartbeatMs ?? 15_000)
  heartbeat.unref()

  return {
    async follow(res, filter, after) {
      followers += 1
      const listener = createListener(res, filter, after)
      try {
        if (!closed) await start()
        if (closed) return listener.end()
        invariant(position, 'the feed has a position while it is read')
        // Taken together with joining the listeners: what is read later is heard, what was read before is in the past.
        const upTo = position
        listeners.add(listener)
        if (after) await catchUp(db, listener, after, upTo)
        await listener.live()
      } finally {
        listeners.delete(listener)
        followers -= 1
      }
    },
    async close() {
      closed = true
      clearInterval(heartbeat)
      for (const listener of listeners) listener.end()
      await reading
    },
  }
}

async function catchUp(db: Db, listener: Listener, after: Position, upTo: Position): Promise<void> {
  let from = after
  while (listener.open()) {
    const past = await readPast(db, listener.filter, from, upTo, page)
    await listener.write(past)
    const last = past.at(-1)
    if (!last || past.length < page) return
    from = last
  }
}

interface Listener {
  filter: FeedFilter
  open(): boolean
  /** Keeps what concerns it until it is written. */
  hear(events: readonly FeedEvent[]): void
  write(events: readonly FeedEvent[]): Promise<void>
  /** Writes what was heard, as it comes, until the caller is gone. */
  live(): Promise<void>
  beat(): void
  end(): void
}

function createListener(res: Response, filter: FeedFilter, after: Position | undefined): Listener {
  const gone = new AbortController()
  let waiting: FeedEvent[] = []
  let wake = (): void => undefined
  res.once('close', () => {
    gone.abort()
    wake()
  })
  const open = (): boolean => !gone.signal.aborted && !res.writableEnded
  // The reader may be behind what a caller who resumes has seen already.
  const concerns = (event: FeedEvent): boolean =>
    (after === undefined || isAfter(event, after)) &&
    (filter.orderId === undefined || event.orderId === filter.orderId) && (filter.channels === null || filter.channels.includes(event.channel))

  async function write(events: readonly FeedEvent[]): Promise<void> {
    if (events.length === 0 || !open()) return
    if (!res.write(events.map(message).join(''))) await once(res, 'drain', { signal: gone.signal }).catch(() => undefined)
  }

  return {
    filter,
    open,
    write,
    hear(events) {
      for (const event of events) if (concerns(event)) waiting.push(event)
      if (waiting.length > mostWaiting) res.destroy()
      else if (waiting.length > 0) wake()
    },
    async live() {
      while (open()) {
        const heard = waiting
        waiting = []
        if (heard.length > 0) await write(heard)
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    beat() {
      if (open() && !res.writableNeedDrain) res.write(': still here\n\n')
    },
    end() {
      res.end()
      wake()
    },
  }
}

/** In the order of the feed; transaction ids have 64 bits. */
function isAfter(event: Position, seen: Position): boolean {
  const [xid, seenXid] = [BigInt(event.xid), BigInt(seen.xid)]
  return xid === seenXid ? event.seq > seen.seq : xid > seenXid
}

/** One event as the stream carries it; its id is what `Last-Event-ID` gives back. */
function message({ seq, at, type, actor, data, orderId, channel }: FeedEvent): string {
  return `id: ${seq}\ndata: ${JSON.stringify({ seq, at, type, actor, orderId, channel, data })}\n\n`
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
