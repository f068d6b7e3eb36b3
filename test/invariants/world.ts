/** What an invariant is, and what it may look at: our rows, the workflows, and the books of those outside. */
import type { Client } from '@temporalio/client'
import { rows, type Db } from '../../db/connection'

/** What the provider says of one payment. */
export interface BookedIntent {
  id: string
  orderRef: string | null
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
}

export interface World {
  db: Db
  client?: Client
  /** Base address of the payment provider, whose own books decide; or the books themselves. */
  paymentsUrl?: string
  books?: () => readonly BookedIntent[]
  /** Orders that were acknowledged to a channel. */
  acknowledged?: readonly string[]
  /** Every webhook that those outside have heard, and what they answered. */
  heard?: () => readonly HeardOutside[]
}

export interface HeardOutside {
  id: string
  answered: number
  data: { seq?: number }
}

export interface Invariant {
  id: string
  says: string
  /** `quiet`: only once nothing is under way any more. */
  when: 'always' | 'quiet'
  /** Rows that violate it; none: it holds. */
  violations(world: World): Promise<object[]>
}

/** An invariant that is one query for violating rows. */
export const query = (id: string, says: string, when: Invariant['when'], sql: string): Invariant => ({ id, says, when, violations: ({ db }) => rows<object>(db, sql) })
