/** Messages that could not become an order, with every reason. */
import { z } from 'zod'
import { adapterOf } from '../../adapters/channels'
import { writeAudit } from '../../db/audit'
import type { Transaction } from '../../db/connection'
import type { ChannelAdapter } from '../../adapters/channels/adapter'
import { assignQuarantined, becameOrder, dismissQuarantined, lockQuarantined, stillWaits, wasTaken, type QuarantinedMessage } from '../../db/quarantine'
import { quarantinedView, quarantineList } from '../../db/views/exceptions'
import { invariant } from '../../domain/invariant'
import { refuse, type RefusalDetail } from '../../domain/refusals'
import { takeChannelOrder } from '../channel-orders'
import { caseCommand } from '../case-command'
import { command } from '../command'
import { listRoute } from '../list-route'
import { may } from '../permissions'
import { problemOf, statusOf } from '../problem'
import { ok, type Ctx } from '../route'
import { quarantineAnswer } from '../schemas/exceptions'
import { channelId, text, uuid } from '../schemas/fields'
import { retaken, topicReasons } from '../shopify-topics'

const listQuarantine = listRoute({
  path: '/v1/quarantine',
  tag: 'Channels',
  summary: 'Messages in quarantine, newest first',
  roles: may.readQuarantine,
  filter: { channel: channelId.optional(), status: z.enum(['open', 'ordered', 'taken', 'dismissed']).optional() },
  item: quarantineAnswer,
  key: uuid,
  find: (ctx, { from, limit }) => quarantineList(ctx.db, { ...ctx.query, before: from, limit }),
  keyOf: (message) => message.quarantineId,
})

/** JSON merge patch (RFC 7396): objects are merged, null removes, everything else replaces. A field named `__proto__` is a field like any other. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const retryQuarantined = command({
  method: 'post',
  path: '/v1/quarantine/{quarantineId}/retry',
  tag: 'Channels',
  summary: 'Try a quarantined message again, repaired if need be',
  description: '`patch` is a JSON merge patch (RFC 7396) on the message as it came. What is still against it is named; a patch that does not suffice is not kept.',
  roles: may.workQuarantine,
  params: z.strictObject({ quarantineId: uuid }),
  body: z.strictObject({ patch: z.record(z.string(), z.unknown()).optional() }),
  answers: { 200: z.object({ quarantineId: z.string(), orderId: z.string().optional().meta({ description: 'Absent where it is about an order that has not come yet' }) }) },
  async run(ctx, tx) {
    const { quarantineId } = ctx.params
    const message = await lockQuarantined(tx, quarantineId)
    if (!message) throw refuse('quarantine.unknown')
    if (message.status === 'ordered' && message.resolution !== null) return ok({ quarantineId, orderId: message.orderId! }) // it has come by another message
    if (message.status !== 'open') throw refuse('quarantine.ended', { orderId: message.orderId })
    const body = ctx.body.patch ? mergePatch(message.body, ctx.body.patch) : message.body
    const { orderId, reasons } = message.topic === 'order' ? await takeChannelOrder(tx, ctx.deps, needAdapter(message), { channel: message.channel, eventId: quarantineId, body }) : await takeMessage(ctx, tx, { ...message, body })
    await writeAudit(tx, { actor: ctx.actor, action: 'quarantine.retry', subject: quarantineId, cause: ctx.requestId })
    if (reasons) {
      // Answered and not thrown, so that what was found now is kept. The reasons kept speak of the body kept beside them, without the patch.
      await stillWaits(tx, quarantineId, ctx.body.patch ? undefined : reasons)
      const refusal = refuse('quarantine.still_invalid', { reasons }, undefined, reasons)
      return { status: statusOf(refusal.code), body: problemOf(refusal, ctx.requestId) }
    }
    if (message.topic === 'order') await becameOrder(tx, quarantineId, orderId!, body)
    else await wasTaken(tx, quarantineId, orderId ?? null, body)
    return ok({ quarantineId, ...(orderId !== undefined && { orderId }) })
  },
  after: (ctx) => Promise.resolve(ctx.deps.wake()),
})

/** What was about an order goes the way it would have gone, under an id of its own. */
async function takeMessage({ deps }: Pick<Ctx, 'deps'>, tx: Transaction, { quarantineId, channel, source, topic, body, reasons: before }: QuarantinedMessage): Promise<{ orderId?: string; reasons?: RefusalDetail[] }> {
  const reasons = topicReasons(topic, body, channel, before)
  if (reasons.length) return { reasons }
  return retaken[topic]!({ db: tx, deps }, { channel, source, eventId: `quarantine:${quarantineId}`, body })
}

const quarantineCommand = caseCommand({
  at: '/v1/quarantine',
  id: 'quarantineId',
  tag: 'Channels',
  roles: may.workQuarantine,
  answer: quarantineAnswer,
  view: quarantinedView,
  async hold(_ctx, tx, quarantineId) {
    const message = await lockQuarantined(tx, quarantineId)
    if (!message) throw refuse('quarantine.unknown')
    if (message.status !== 'open') throw refuse('quarantine.ended', { orderId: message.orderId })
    return message
  },
})

const assign = quarantineCommand({ verb: 'assign', summary: 'Take a message on', body: z.strictObject({ assignee: text(100) }), effect: assignQuarantined })

const dismiss = quarantineCommand({
  verb: 'dismiss',
  summary: 'Say that a message will be no order, and why',
  description: 'The message stays. If the channel sends the order again, it is looked at again.',
  body: z.strictObject({ reason: text(500) }),
  effect: dismissQuarantined,
})

const needAdapter = ({ source }: QuarantinedMessage): ChannelAdapter => {
  const adapter = adapterOf(source)
  invariant(adapter, `a message of ${source} was kept by an adapter`)
  return adapter
}

export const quarantineRoutes = [listQuarantine, retryQuarantined, assign, dismiss]
