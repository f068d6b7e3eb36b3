/** Dates and prices before the sale. */
import { refuse } from '../../domain/refusals'
import { giveOptions } from '../delivery-options'
import { requireChannel } from '../auth'
import { may } from '../permissions'
import { ok, route } from '../route'
import { optionsAnswer, optionsBody, type OptionsBody } from '../schemas/promise'
import type { RouteDeps } from '../deps'

const deliveryOptions = route({
  method: 'post',
  path: '/v1/delivery-options',
  tag: 'Promise',
  summary: 'What a customer can choose from: price, date and the confidence of that date',
  description: 'Stock and work ahead are at most a second old. The quote is a signed token and books nothing; hold it, or name it in an order.',
  roles: may.quote,
  body: optionsBody,
  answers: { 200: optionsAnswer },
  async run(ctx) {
    requireChannel(ctx.key, ctx.body.channel, '/channel')
    await known(ctx.deps, ctx.body)
    const { currency: _, ...ask } = ctx.body
    return ok(await giveOptions(ctx.deps, ask, Date.now()))
  },
})

/** @throws `channel.unknown`, `currency.not_accepted`, `sku.unknown` */
async function known({ promises }: RouteDeps, { channel, currency, lines }: OptionsBody): Promise<void> {
  const sells = await promises.channel(channel)
  if (!sells) throw refuse('channel.unknown', { channel }, undefined, [{ pointer: '/channel', message: `No channel ${channel}` }])
  if (sells.currency !== currency) {
    const message = `The channel sells in ${sells.currency}, not in ${currency}`
    throw refuse('currency.not_accepted', { currency, accepts: sells.currency }, message, [{ pointer: '/currency', message }])
  }
  const unknown = new Set(await promises.unknown(lines.map((l) => l.sku)))
  const errors = lines.flatMap(({ sku }, i) => (unknown.has(sku) ? [{ pointer: `/lines/${i}/sku`, message: `No SKU ${sku}` }] : []))
  if (errors.length) throw refuse('sku.unknown', { sku: [...unknown][0]! }, undefined, errors)
}

export const promiseRoutes = [deliveryOptions]
