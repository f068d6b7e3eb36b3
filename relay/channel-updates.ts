/** A channel changed an order by itself: what it says otherwise than before becomes a change here, or a case that says why not. Newer words win, in whatever sequence they come. */
import { channelSaid } from '../api/channel-said'
import { documentApplied, newestDocuments } from '../db/channel-messages'
import { linesInPlaces } from '../db/cancellable'
import { once } from '../db/effects'
import { lockOrder } from '../db/orders'
import { noteChannelCase } from '../db/steps/channel-case'
import { proposeChange } from '../db/steps/change-order'
import { keptOf } from '../domain/order/change'
import { changesSaid, type Said } from '../domain/order/channel-update'
import { Refusal } from '../domain/refusals'
import { askOrder, type About } from './channel-about'

/** An order that is just being sourced, or changed by another message, is no longer what a change was worked out on: then it is worked out anew. */
const attempts = 5

/** @returns what came of it, for the inbox. */
export async function applyUpdate(about: About): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const { applied, newest } = await newestDocuments(about.db, about.fact.source, about.fact.subject)
    if (!newest || newest.applied) return 'nothing newer than what was applied'
    const [before, after] = [applied, newest.body].map((body) => channelSaid(about.fact.source, body, about.order.channel))
    try {
      const operations = before && after ? await change(about, `update:${about.fact.source}:${newest.eventId}:${attempt}`, before, after) : []
      await about.db.transaction((tx) => documentApplied(tx, about.fact.source, newest.eventId))
      return operations.length ? `changed: ${operations.join(', ')}` : 'says nothing new'
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      if (cause.code === 'order.version_changed' && attempt < attempts) continue
      return refused(about, newest.eventId, cause)
    }
  }
}

async function refused({ db, fact, order: { orderId }, actor }: About, eventId: string, { code, data }: Refusal): Promise<string> {
  await once(db, `update-refused:${fact.source}:${eventId}`, async (tx) => {
    await noteChannelCase(tx, { orderId, actor, about: 'update', data: { code, ...data } })
    await documentApplied(tx, fact.source, eventId)
  })
  return code
}

/** Asked for and confirmed in one go: the channel has told its customer already. Under one key it is one change, whatever dies in between. @returns what was done */
async function change(about: About, key: string, before: Said, after: Said): Promise<string[]> {
  const { db, actor } = about
  const { orderId } = about.order
  const { operations, changeId } = await once(db, key, async (tx): Promise<{ operations: string[]; changeId?: string }> => {
    await lockOrder(tx, orderId)
    const wanted = changesSaid(before, after, keptIn(await linesInPlaces(tx, orderId)))
    const named = wanted.map((o) => o.op)
    if (wanted.length === 0 || named.includes('cancel')) return { operations: named }
    return { operations: named, changeId: (await proposeChange(tx, { orderId, operations: wanted, actor, requestedBy: 'merchant' })).changeId }
  })
  if (operations.includes('cancel')) await askOrder(about, 'cancelOrder', { commandId: key, reason: 'the channel took everything off the order' })
  else if (changeId !== undefined) await askOrder(about, 'changeOrder', { commandId: `change:${changeId}`, changeId })
  return operations
}

const keptIn = (lines: Parameters<typeof keptOf>[0]) => (lineId: string): number | undefined =>
  lines.some((l) => (l.kit?.lineId ?? l.lineId) === lineId) ? keptOf(lines, lineId) : undefined
