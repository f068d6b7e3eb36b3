/** What an operator sees of this order in the Temporal UI: current details in markdown, and the search attributes. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common'
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { formatMinor } from '../../domain/money'
import type { OrderStatus } from '../../domain/order/status'
import { searchAttributes } from '../../domain/search-attributes'
import { waitingOn, type Thread } from './thread'

export interface Shown {
  status?: OrderStatus
  nodeId?: string
  carrier?: string
  hasException?: boolean
}

const keys = {
  status: defineSearchAttributeKey('OrderStatus', searchAttributes.OrderStatus),
  nodeId: defineSearchAttributeKey('OrderNode', searchAttributes.OrderNode),
  carrier: defineSearchAttributeKey('OrderCarrier', searchAttributes.OrderCarrier),
  hasException: defineSearchAttributeKey('HasException', searchAttributes.HasException),
}

/** Brings what is shown up to date; search attributes only where they change. */
export function show(thread: Thread, changed: Shown = {}): void {
  setCurrentDetails(details(thread))
  const pairs: SearchAttributePair[] = []
  if (changed.status !== undefined) pairs.push({ key: keys.status, value: changed.status })
  if (changed.nodeId !== undefined) pairs.push({ key: keys.nodeId, value: changed.nodeId })
  if (changed.carrier !== undefined) pairs.push({ key: keys.carrier, value: changed.carrier })
  if (changed.hasException !== undefined) pairs.push({ key: keys.hasException, value: changed.hasException })
  if (pairs.length) upsertSearchAttributes(pairs)
}

function details(thread: Thread): string {
  const { start } = thread
  const wait = waitingOn(thread)
  const rows: [string, string][] = [
    ['Chapter', thread.chapter],
    ['Lines', `${start.lineCount} by ${start.method}`],
    ['Money', `${formatMinor(start.totalMinor, start.currency)} · ${start.tenders.map((t) => `${t.tenderId} ${thread.payments[t.paymentId] ?? (t.authorizeOperationId ? 'pending' : 'paid elsewhere')}`).join(', ')}`],
    ...thread.works.map((w): [string, string] => ['Fulfillment', [w.nodeId, w.status, w.carrier, ...(w.trackingNumbers ?? [])].filter(Boolean).join(' · ')]),
    ...thread.holds.map((h): [string, string] => ['Hold', `${h.type} stops ${h.blocks.join(', ')} · ${h.owner} may release it${h.deadline === null ? '' : ` · until ${h.deadline}`}`]),
    ['Waits on', wait ? `${wait.what.replaceAll('_', ' ')} since ${wait.since}` : 'nothing'],
    ['Next deadline', wait?.deadline ?? 'none'],
    ['Last exception', thread.lastException ?? 'none'],
  ]
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}
