/** A channel changed an order by itself: what it says otherwise than before becomes a change here, or a case that says why not. Newer words win, in whatever sequence they come. */
import { channelSaid } from '../api/channel-said'
import { documentApplied, newestDocuments, type DocumentId } from '../db/channel-messages'
import type { Transaction } from '../db/connection'
import { linesInPlaces } from '../db/cancellable'
import { once } from '../db/effects'
import { lockOrder } from '../db/orders'
import { endedByUpdate, quarantine } from '../db/quarantine'
import { askBackInstead } from '../db/steps/ask-parcels-back'
import { noteChannelCase } from '../db/steps/channel-case'
import { proposeChange } from '../db/steps/change-order'
import { keptOf } from '../domain/order/change'
import { changesSaid, dearerSaid, type Said } from '../domain/order/channel-update'
import type { MoneyOfChange } from '../domain/payment/raises'
import { Refusal, refuse, type RefusalCode } from '../domain/refusals'
import { askOrder, type About } from './channel-about'

/** An order that is just being sourced, or changed by another message, is no longer what a change was worked out on: then it is worked out anew. */
const attempts = 5

/** @returns what came of it, for the inbox. */
export async function applyUpdate(about: About): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const { newest } = await newestDocuments(about.db, about.fact.source, about.fact.subject)
    if (!newest || newest.applied) return 'nothing newer than what was applied'
    try {
      const operations = await change(about, `update:${about.fact.source}:${newest.eventId}:${attempt}`)
      return operations.length ? `changed: ${operations.join(', ')}` : 'says nothing new'
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      if (cause.code === 'order.version_changed' && attempt < attempts) continue
      return cause.code in waiting ? waits(about, newest, cause) : refused(about, newest.eventId, cause)
    }
  }
}

/** What the channel may still put right, or a person: the message is kept back, and its order stays as it was. */
const waiting: Partial<Record<RefusalCode, string>> = { 'channel.not_paid': '/financial_status', 'order.totals': '/current_total_price' }

async function waits({ db, fact, order }: About, { eventId, body }: { eventId: string; body: unknown }, { code, message }: Refusal): Promise<string> {
  await once(db, `update-waits:${fact.source}:${eventId}`, (tx) =>
    quarantine(tx, { channel: order.channel, source: fact.source, eventId, topic: 'orders/updated', channelOrderId: fact.subject, body, reasons: [{ code, pointer: waiting[code]!, message }] }),
  )
  return code
}

async function refused({ db, fact, order: { orderId }, actor }: About, eventId: string, refusal: Refusal): Promise<string> {
  const { code } = refusal
  await once(db, `update-refused:${fact.source}:${eventId}`, async (tx) => {
    const { data } = await askBackInstead(tx, refusal, { orderId, actor, reason: 'the channel has taken some of it off the order' })
    await noteChannelCase(tx, { orderId, actor, about: 'update', data: { code, ...data } })
    await documentApplied(tx, { source: fact.source, eventId })
  })
  return code
}

interface Wanted {
  operations: string[]
  changeId?: string
  document?: DocumentId
}

/**
 * Asked for and confirmed in one go: the channel has told its customer already. Under one key it is one change, whatever dies in between. What the order is like, and what is
 * said of it, are read under its lock; and the document counts as applied in the transaction that makes the order so: what is added is added once. @returns what was done
 */
async function change(about: About, key: string): Promise<string[]> {
  const { operations, changeId, document } = await once(about.db, key, async (tx): Promise<Wanted> => {
    await lockOrder(tx, about.order.orderId)
    const { applied, newest } = await newestDocuments(tx, about.fact.source, about.fact.subject)
    if (!newest || newest.applied) return { operations: [] }
    const [before, after] = [applied, newest.body].map((body) => channelSaid(about.fact.source, body, about.order.channel))
    return propose(tx, about, { source: about.fact.source, eventId: newest.eventId }, before && after ? { before, after } : undefined)
  })
  if (operations.includes('cancel')) await askOrder(about, 'cancelOrder', { commandId: key, reason: 'the channel took everything off the order' })
  else if (changeId !== undefined) await askOrder(about, 'changeOrder', { commandId: `change:${changeId}`, changeId })
  if (document) await about.db.transaction((tx) => isLike(tx, about, document))
  return operations
}

/** @throws what the order says no with, `channel.not_paid`, `order.totals` */
async function propose(tx: Transaction, about: About, document: DocumentId, said: { before: Said; after: Said } | undefined): Promise<Wanted> {
  const { orderId } = about.order
  const operations = said ? changesSaid(said.before, said.after, keptIn(await linesInPlaces(tx, orderId))) : []
  const named = operations.map((o) => o.op)
  if (operations.length === 0) await isLike(tx, about, document)
  if (!said || operations.length === 0 || named.includes('cancel')) return { operations: named, document }
  const { changeId, money } = await proposeChange(tx, { orderId, operations, actor: about.actor, requestedBy: 'merchant', paidElsewhere: true, document })
  needTheirMoney(said.before, said.after, money)
  return { operations: named, changeId, document }
}

/** Nothing of what was kept back of earlier words is still to be done. */
async function isLike(tx: Transaction, { order, fact }: About, document: DocumentId): Promise<void> {
  await documentApplied(tx, document)
  await endedByUpdate(tx, { ...order, channelOrderId: fact.subject })
}

/** What it costs more was paid to the channel: all of it, and as much as it comes to here. @throws `channel.not_paid`, `order.totals` */
function needTheirMoney(before: Said, after: Said, { chargeMinor, deltaMinor }: MoneyOfChange): void {
  if (chargeMinor === 0) return
  if (!after.money?.isPaid) throw refuse('channel.not_paid', {}, 'The channel has not taken the money for what it added')
  const saidMinor = dearerSaid(before, after)
  if (saidMinor !== deltaMinor) throw refuse('order.totals', {}, `The channel takes ${saidMinor} more in minor units, and what it added comes to ${deltaMinor}`)
}

const keptIn = (lines: Parameters<typeof keptOf>[0]) => (lineId: string): number | undefined =>
  lines.some((l) => (l.kit?.lineId ?? l.lineId) === lineId) ? keptOf(lines, lineId) : undefined
