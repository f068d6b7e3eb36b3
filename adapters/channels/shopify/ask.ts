/** How a shop on Shopify is spoken to: its Admin API, by REST and by GraphQL. */
import { z } from 'zod'
import type { CallOutside, OutsideAnswer } from '../../outside/call'
import { ForbiddenDestination } from '../../outside/destination'
import { ChannelFault, ChannelRefusal } from '../channel-api'
import { readJson } from '../reading'

export interface ShopAccount {
  url: string
  token: string
  call: CallOutside
}

const version = '2026-01'

/** @throws ChannelFault, ChannelRefusal */
export async function call({ url, token, call: send }: ShopAccount, path: string, body?: string): Promise<Omit<OutsideAnswer, 'body'> & { body: unknown }> {
  const headers = { 'X-Shopify-Access-Token': token, 'Content-Type': 'application/json' }
  const answer = await send(new URL(`/admin/api/${version}/${path}`, url).href, { headers, ...(body !== undefined && { method: 'POST', body }) }).catch((cause: Error) => {
    throw cause instanceof ForbiddenDestination ? new ChannelRefusal(`its address ${cause.message}`) : new ChannelFault(cause.message)
  })
  const { status } = answer
  if (status === 401 || status === 403 || status === 404) throw new ChannelRefusal(`the shop answered ${status}`)
  if (status < 200 || status > 299) throw new ChannelFault(`the shop answered ${status}`)
  return { ...answer, body: readJson(answer.body) }
}

export type Ask = <T extends z.ZodType>(query: string, variables: object, shape: T) => Promise<z.output<T>>

export const asker =
  (account: ShopAccount): Ask =>
  async (query, variables, shape) => {
    const { body } = await call(account, 'graphql.json', JSON.stringify({ query, variables }))
    const answered = z.looseObject({ data: z.unknown() }).safeParse(body)
    const read = shape.safeParse(answered.data?.data)
    if (!read.success) throw new ChannelFault('the shop’s answer cannot be read')
    return read.data
  }

export const nodes = <T extends z.ZodType>(node: T) => z.object({ nodes: z.array(node) })
export const userErrors = z.array(z.object({ message: z.string() }))
