/** Typed holds: what each stops, what an order waits on while it does, and by how much deadlines move when it ends. Any number may be open at once; a step is stopped while one of them blocks it. */
import type { WaitingOn, WaitReason } from './status'

export const holdSteps = ['payment', 'sourcing', 'picking', 'shipping', 'refund'] as const
/** `payment`: money is not authorised. `sourcing`: no node is chosen. `picking`: no work reaches a store, and what did is asked back. `shipping`: nothing leaves. `refund`: nothing is given back. */
export type HoldStep = (typeof holdSteps)[number]

/** Who may release it; an admin may release any. */
export const holdOwners = ['support', 'operations', 'admin'] as const
export type HoldOwner = (typeof holdOwners)[number]

/** What happens at its deadline. `escalate`: somebody is told, and it stays. */
export const holdEndings = ['release', 'cancel', 'escalate'] as const
export type HoldEnding = (typeof holdEndings)[number]

/** Facts that release a hold by themselves. */
export const releasingFacts = ['payment_authorized', 'fraud_accepted'] as const
export type ReleasingFact = (typeof releasingFacts)[number]

/** What a hold is, before it is placed. */
export interface HoldDraft {
  type: string
  reason: string
  blocks: readonly HoldStep[]
  owner: HoldOwner
  deadline?: string
  atDeadline?: HoldEnding
  /** So many different people have to say yes, none of whom asked for it. */
  approvals?: number
  releasedBy?: ReleasingFact
  /** The rule of the policy that places it; absent: a person does, or a dispute. */
  rule?: string
  /** The dispute that places it. */
  disputeId?: string
}

/** While the customer's bank takes back what she paid, nothing more leaves for it. */
export const heldByDispute: HoldDraft = { type: 'dispute', reason: 'The customer’s bank takes back what was paid for it', blocks: ['picking', 'shipping'], owner: 'support' }

/** A hold as the story of its order knows it. */
export interface StandingHold {
  holdId: string
  type: string
  blocks: readonly HoldStep[]
  owner: HoldOwner
  placedAt: string
  deadline: string | null
  releasedBy: ReleasingFact | null
}
type Stop = Pick<StandingHold, 'blocks' | 'placedAt' | 'deadline'>

/** Every step that is blocked, each once. */
export const blockedBy = (holds: readonly Pick<Stop, 'blocks'>[]): HoldStep[] => holdSteps.filter((step) => holds.some((h) => h.blocks.includes(step)))

/** The steps that what is waited on leads to: any of them blocked, it cannot come. */
const leadsTo: Partial<Record<WaitReason, readonly HoldStep[]>> = {
  payment: ['payment'],
  sourcing: ['sourcing', 'picking'],
  stock: ['sourcing'],
  picking: ['picking'],
  hand_over: ['shipping'],
  collection: ['shipping'],
}

const stopping = <Hold extends Stop>(what: WaitReason, holds: readonly Hold[]): Hold[] => holds.filter((h) => leadsTo[what]?.some((step) => h.blocks.includes(step)))

export const isStopped = (what: WaitReason, holds: readonly Stop[]): boolean => stopping(what, holds).length > 0

/** Every wait as it is under these holds: what is stopped waits on the hold that ends last; refunds that are held are waited on, whether or not one is due. */
export const waitsUnder = (waits: readonly (WaitingOn | null)[], holds: readonly Stop[]): (WaitingOn | null)[] =>
  holds.length === 0 ? [...waits] : [...waits.map((wait) => wait && stoppedWait(wait, holds)), ...holds.filter((h) => h.blocks.includes('refund')).map(waitOn)]

function stoppedWait(wait: WaitingOn, holds: readonly Stop[]): WaitingOn {
  const [last] = stopping(wait.what, holds).sort((a, b) => ((a.deadline ?? '~') < (b.deadline ?? '~') ? 1 : -1))
  return last ? waitOn(last) : wait
}

const waitOn = ({ placedAt, deadline }: Stop): WaitingOn => ({ what: 'hold', since: placedAt, deadline })

/** How long a wait was stopped by what has now been released, in milliseconds: its deadline moves by as much. What others stop still is counted when those end. */
export function stoppedFor(wait: WaitingOn, { before, after, at }: { before: readonly Stop[]; after: readonly Stop[]; at: string }): number {
  const since = (holds: readonly Stop[], none: string): number => Date.parse([...stopping(wait.what, holds).map((h) => h.placedAt), none].sort()[0]!)
  const began = Math.max(Date.parse(wait.since), since(before, at))
  return Math.max(0, Math.max(Date.parse(wait.since), since(after, at)) - began)
}

export const later = (wait: WaitingOn, byMs: number): WaitingOn => ({ ...wait, deadline: wait.deadline === null ? null : new Date(Date.parse(wait.deadline) + byMs).toISOString() })
