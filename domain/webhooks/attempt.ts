/** One attempt to deliver an event, and what follows from how it went: delivered, tried again later, or given up. */

/** What is sent. `secrets` are two while they rotate: each signs. */
export interface Sending {
  url: string
  id: string
  body: string
  secrets: readonly string[]
}

/** How it went. `status` null: no answer came, `error` says why. */
export interface Heard {
  status: number | null
  error: string | null
  durationMs: number
  /** The beginning of the answer, for whoever looks for the reason. */
  answer: string | null
  /** The endpoint asked to be left alone for so long. */
  retryAfterMs: number | null
}

export type SendWebhook = (sending: Sending) => Promise<Heard>

export const isDelivered = ({ status }: Heard): boolean => status !== null && status >= 200 && status < 300

/** The endpoint says that it is no more. */
export const isGone = ({ status }: Heard): boolean => status === 410

export interface RetrySettings {
  /** The first pause is at most this long; each next one twice as long, */
  baseMs: number
  /** up to this. */
  mostMs: number
  /** How long after it was queued the last attempt is made. */
  giveUpMs: number
}
/** Three days. Pauses are drawn between nothing and their bound ("full jitter"), so that what failed together does not come back together. */
export const retrySettings: RetrySettings = { baseMs: 10_000, mostMs: 6 * 3_600_000, giveUpMs: 3 * 86_400_000 }

export interface Failed {
  /** Failed attempts so far, this one included. */
  failures: number
  now: number
  giveUpAt: number
  retryAfterMs: number | null
  /** 0 to 1. */
  random: number
}

/** When to try again; undefined: it is given up. The last attempt comes at `giveUpAt` itself. */
export function nextAttemptAt({ failures, now, giveUpAt, retryAfterMs, random }: Failed, { baseMs, mostMs }: RetrySettings = retrySettings): number | undefined {
  if (now >= giveUpAt) return undefined
  const pauseMs = random * Math.min(mostMs, baseMs * 2 ** (failures - 1))
  return Math.min(giveUpAt, now + Math.max(leastPauseMs, pauseMs, retryAfterMs ?? 0))
}
const leastPauseMs = 500

/** Why it was not delivered, in words. */
export const reasonOf = ({ status, error }: Heard): string => (status === null ? (error ?? 'no answer') : `answered ${status}`)
