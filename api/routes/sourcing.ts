/** Asking what sourcing would decide. */
import { kitsAmong } from '../../db/kits'
import { trialOf, trySourcing, type Trial } from '../../db/sourcing-trial'
import { findChannel, unknownSkus } from '../../db/views/network'
import { withoutKits, type Kits } from '../../domain/order/kits'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { may } from '../permissions'
import { ok, route } from '../route'
import { dryRunBody, sourcingDecision, type ThoughtOf } from '../schemas/sourcing'

const dryRun = route({
  method: 'post',
  path: '/v1/sourcing/dry-run',
  tag: 'Sourcing',
  summary: 'Where an order would come from, by any version of the policy, on the stock as it is now',
  description: 'Nothing is claimed or written. An order that is there is looked at as if its own claims were free.',
  roles: may.trySourcing,
  body: dryRunBody,
  answers: { 200: sourcingDecision },
  async run(ctx) {
    const { orderId, order, version } = ctx.body
    if (orderId !== undefined) await visibleOrder(ctx, orderId)
    const trial = orderId === undefined ? thought(order!, await kitsAmong(ctx.db, order!.lines.map((l) => l.sku))) : await trialOf(ctx.db, orderId)
    if (!(await findChannel(ctx.db, trial.channel))) throw refuse('channel.unknown', { channel: trial.channel }, undefined, [{ pointer: '/order/channel', message: `No channel ${trial.channel}` }])
    const asked = order?.lines ?? trial.lines
    const unknown = await unknownSkus(ctx.db, asked.map((l) => l.sku))
    const problems = asked.flatMap((l, i) => (unknown.has(l.sku) ? [{ pointer: `/order/lines/${i}/sku`, message: `No SKU ${l.sku}` }] : []))
    if (problems.length) throw refuse('sku.unknown', { sku: [...unknown][0]! }, undefined, problems)
    return ok(await trySourcing(ctx.db, trial, version))
  },
})

const thought = ({ channel, delivery, shipTo, lines }: ThoughtOf, kits: Kits): Trial => ({
  channel,
  method: delivery.method,
  nodeId: delivery.nodeId,
  country: shipTo?.country,
  destination: shipTo?.latitude === undefined || shipTo.longitude === undefined ? undefined : { latitude: shipTo.latitude, longitude: shipTo.longitude },
  lines: withoutKits(lines.map((l, i) => ({ ...l, lineId: l.lineId ?? String(i + 1), discountMinor: 0, taxMinor: 0 })), kits)
    .map(({ lineId, sku, quantity, unitPriceMinor }) => ({ lineId, sku, quantity, valueMinor: unitPriceMinor })),
})

export const sourcingRoutes = [dryRun]
