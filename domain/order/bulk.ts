/** One thing done to many orders: what each action would do to an order as it stands, why it would not, and until when it can be taken back. */
import type { RefusalCode } from '../refusals'
import type { HoldStep } from './holds'

export const bulkActions = ['release', 'cancel', 're-source', 're-promise'] as const
export type BulkAction = (typeof bulkActions)[number]

/** As many orders as one of them takes. */
export const mostInBulk = 10_000

/** An order as far as these actions look at it. */
export interface BulkFacts {
  stage: 'open' | 'completed' | 'cancelled'
  /** Something of it has left for good. */
  hasLeft: boolean
  blocked: readonly HoldStep[]
  /** Open holds that whoever asks may release. */
  releasable: number
  /** Work orders that no node has begun, and those that have not left. */
  notBegun: number
  inBuilding: number
  waitsForStock: boolean
  units: number
  currency: string
  /** Held and not taken; taken by the channel. */
  heldMinor: number
  takenElsewhereMinor: number
}

export interface BulkForecast {
  /** Why it would be refused; absent: it would be done. */
  code?: RefusalCode
  units: number
  letGoMinor: number
  refundElsewhereMinor: number
}

const nothing = { units: 0, letGoMinor: 0, refundElsewhereMinor: 0 }

/** What would happen now; by the time it is done the order may have gone on, and then its own result says so. */
export function forecast(action: BulkAction, order: BulkFacts): BulkForecast {
  const code = whyNot(action, order)
  if (code) return { code, ...nothing }
  if (action !== 'cancel') return { ...nothing, units: order.units }
  return { units: order.units, letGoMinor: order.heldMinor, refundElsewhereMinor: order.takenElsewhereMinor }
}

function whyNot(action: BulkAction, order: BulkFacts): RefusalCode | undefined {
  if (order.stage === 'cancelled') return 'order.already_cancelled'
  if (order.stage === 'completed') return 'order.closed'
  switch (action) {
    case 'cancel':
      return order.hasLeft ? 'order.already_handed_over' : undefined
    case 'release':
      return order.releasable === 0 ? 'hold.none' : undefined
    case 're-source':
      if (order.blocked.includes('sourcing') || order.blocked.includes('picking')) return 'order.held'
      return order.notBegun === 0 && !order.waitsForStock ? 'order.not_moved' : undefined
    case 're-promise':
      return order.inBuilding === 0 ? 'order.promise_stays' : undefined
  }
}

/** How long it waits before it begins, unless told otherwise: what cannot be taken back afterwards can be withdrawn until then. */
export const undoWithin: Readonly<Record<BulkAction, string | null>> = { release: null, cancel: 'PT30S', 're-source': null, 're-promise': 'PT30S' }

/** What can be done about it afterwards. */
export const undoing: Readonly<Record<BulkAction, string>> = {
  release: 'Place the holds again; what has gone on meanwhile stays as it is',
  cancel: 'Withdraw it before it begins, or what has not been cancelled yet; a cancelled order stays cancelled',
  're-source': 'Re-source again; work that has gone to another node does not come back by itself',
  're-promise': 'Withdraw it before it begins; a date that a customer was told stays told',
}
