/** What the conformance kit needs of a channel: its door, a document that becomes an order, and how things are said in it. */
import type { Edge, Reply } from '../../api/edge'

export type Document = Record<string, unknown>

export interface Sent {
  /** One message: what is sent again under the same id is a repeat; empty: it has none. */
  messageId?: string
  /** What the document is about, where the channel says it beside the document. */
  topic?: 'create' | 'update' | 'cancel' | 'refund'
  credential?: 'good' | 'wrong' | 'none' | 'of another channel'
  contentType?: string
  channel?: string
  /** The message was cut short after it was signed. */
  cut?: true
}

/** `order`: it becomes one; else the codes for which it is kept, or refused. */
export type Ending = 'order' | string[]

export interface Line {
  id?: string
  sku?: unknown
  quantity?: unknown
  price?: unknown
}

export interface Changes {
  /** The lines, each of which costs `price` a piece; the total follows where it can be worked out. */
  lines?: Line[]
  total?: unknown
  currency?: unknown
  placedAt?: unknown
  name?: unknown
  address?: null
  country?: unknown
  number?: string
  state?: 'not paid' | 'cancelled'
  /** Beside what is known, at the root of the order. */
  extra?: Document
}

export interface Door {
  name: string
  channel: string
  /** What is no order is kept with its reasons; else it is refused, and leaves nothing behind. */
  keeps: boolean
  /** A document under a number nobody has used, with one line of 2 × SOCKS-3P at 10.00. */
  fresh(changes?: Changes): Document
  /** Says that the order of a document is cancelled; absent: not at this door. */
  cancellation?(document: Document): Document
  /** Says that its money was given back; absent: not at this door. */
  refund?(document: Document): Document
  /** Where the channel counts its orders: with this number. */
  counted?(number: number): Document
  /** Messages are signed, and not only known by a key. */
  signs?: true
  numberOf(document: Document): string
  /** An order number longer than a double can hold. */
  longNumber: string
  send(edge: Edge, body: Document | string, sent?: Sent): Promise<Reply>
  /** What a credential that is wrong, one of another channel, a channel that is not there, another content type and too long a message are answered. */
  refusals: { wrong: number; foreign: number; nowhere: number; otherType: number; tooLong: number }
  /** Cases that end otherwise here; null: they cannot be said. */
  endings?: Readonly<Record<string, Ending | null>>
  /** Whether what changes an order says so beside the document; else each document is the whole order. */
  hasTopics: boolean
}

/** What lines add up to, where that can be said. */
export const sumOf = (lines: readonly Line[]): string => (lines.reduce((cents, l) => cents + Math.round(Number(l.price ?? '10.00') * 100) * Number(l.quantity ?? 2), 0) / 100).toFixed(2)
