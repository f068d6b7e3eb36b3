/**
 * Delivers signed messages to a receiver that may be slow, down or forgetful: at least once, each attempt signed anew, retried with
 * growing pauses until it is taken. On demand twice, late, or in another order than things happened.
 */
import { setMaxListeners } from 'node:events'
import { request as plain } from 'node:http'
import { request as overTls } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

export interface Message {
  id: string
  body: string
  /** When the event happened; a message nobody takes is given up a day later. */
  createdMs: number
  /** Who sends it, where several share a simulator. */
  sender?: string
}

export interface DeliveryOptions {
  /** Where to deliver a message; while it is not known, it waits. */
  target(message: Message): string | undefined
  /** Signature headers for one attempt. */
  sign(body: string, atSeconds: number): Record<string, string>
  /** Called when the receiver took the message, or it was given up. */
  done(id: string): void
}

export interface DeliverySettings {
  duplicate: boolean
  shuffle: boolean
  delayMs: number
}

export interface Deliveries {
  /** @param plan what differs from the settings for this one message */
  post(message: Message, plan?: { duplicate?: boolean; delayMs?: number }): void
  configure(settings: Partial<DeliverySettings>): void
  settings(): DeliverySettings
  close(): Promise<void>
}

const defaults: DeliverySettings = { duplicate: false, shuffle: false, delayMs: 20 }
const firstPauseMs = 200
const longestPauseMs = 30_000
const attemptMs = 10_000
const giveUpAfterMs = 24 * 3_600_000
/** How long messages are gathered before they are sent in another order. */
const shuffleWindowMs = 300
const atOnce = 32

export function startDeliveries(options: DeliveryOptions): Deliveries {
  let settings = defaults
  let batch: Message[] = []
  const stop = new AbortController()
  // Every message that waits listens for the end.
  setMaxListeners(0, stop.signal)
  const running = new Set<Promise<void>>()
  const slots = slotsFor(atOnce)

  const start = (work: () => Promise<void>): void => {
    const job = work()
      .catch((error: unknown) => void (stop.signal.aborted || process.stderr.write(`delivery failed: ${String(error)}\n`)))
      .finally(() => running.delete(job))
    running.add(job)
  }
  const attempt = (message: Message): Promise<boolean> => slots(() => send(options, message, stop.signal))
  const insist = async (message: Message, taken: boolean): Promise<void> => {
    for (let pauseMs = firstPauseMs; !taken && Date.now() - message.createdMs < giveUpAfterMs; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await pause(pauseMs, undefined, { signal: stop.signal })
      taken = await attempt(message)
    }
    if (!stop.signal.aborted) options.done(message.id)
  }
  const later = async (message: Message, delayMs: number): Promise<void> => {
    await pause(delayMs, undefined, { signal: stop.signal })
    await insist(message, await attempt(message))
  }
  const flushBatch = async (): Promise<void> => {
    await pause(settings.delayMs + shuffleWindowMs, undefined, { signal: stop.signal })
    const gathered = otherOrder(batch)
    batch = []
    for (const message of gathered) {
      const taken = await attempt(message)
      start(() => insist(message, taken))
    }
  }
  const enqueue = (message: Message, delayMs: number | undefined): void => {
    if (!settings.shuffle || delayMs !== undefined) return start(() => later(message, delayMs ?? settings.delayMs))
    batch.push(message)
    if (batch.length === 1) start(flushBatch)
  }
  return {
    post: (message, plan = {}) => {
      const copies = (plan.duplicate ?? settings.duplicate) ? 2 : 1
      for (let copy = 0; copy < copies; copy += 1) enqueue(message, plan.delayMs)
    },
    configure: (wanted) => {
      const named = Object.entries(wanted).filter(([, value]) => value !== undefined)
      settings = { ...defaults, ...Object.fromEntries(named) }
    },
    settings: () => settings,
    close: async () => {
      stop.abort()
      await Promise.all(running)
    },
  }
}

/** One attempt. True only when the receiver answered 2xx: anything else means it may not have it. */
async function send(options: DeliveryOptions, message: Message, stop: AbortSignal): Promise<boolean> {
  const target = options.target(message)
  if (target === undefined) return false
  const headers = { 'content-type': 'application/json; charset=utf-8', ...options.sign(message.body, Math.floor(Date.now() / 1000)) }
  const status = await post(new URL(target), headers, message.body, stop)
  stop.throwIfAborted()
  return status !== undefined && status >= 200 && status < 300
}

/** Node's own client, at a third of what `fetch` costs; redirects are not followed. @returns undefined where no answer came */
const post = (url: URL, headers: Record<string, string>, body: string, stop: AbortSignal): Promise<number | undefined> =>
  new Promise((resolve) => {
    const request = url.protocol === 'https:' ? overTls : plain
    const asked = request(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal: stop }, (answer) => {
      answer.on('error', () => resolve(undefined)).on('end', () => resolve(answer.statusCode)).resume()
    })
    const late = setTimeout(() => asked.destroy(), attemptMs)
    asked.on('error', () => resolve(undefined)).on('close', () => {
      clearTimeout(late)
      resolve(undefined)
    })
    asked.end(body)
  })

/** Any order but the one given, when there are two or more different messages. */
function otherOrder(messages: readonly Message[]): Message[] {
  const shuffled = [...messages]
  for (let i = shuffled.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
  }
  return shuffled.every((message, i) => message.id === messages[i]!.id) ? shuffled.reverse() : shuffled
}

/** Lets at most `limit` pieces of work run at a time; a receiver that hangs must not pile up sockets. */
function slotsFor(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
