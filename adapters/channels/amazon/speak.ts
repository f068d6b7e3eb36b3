/** How Amazon's Selling Partner API is spoken to: with an access token of an hour, had for the seller's refresh token, in a header of each call. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CallOutside, OutsideAnswer, OutsideCall } from '../../outside/call'
import { ForbiddenDestination } from '../../outside/destination'
import { ChannelFault, ChannelRefusal } from '../channel-api'
import { readJson } from '../reading'

export interface SellerAccount {
  url: string
  tokenUrl: string
  marketplaceId: string
  clientId: string
  clientSecret: string
  refreshToken: string
  call: CallOutside
}

/** @throws ChannelFault, ChannelRefusal */
export type Speak = (method: 'GET' | 'POST', path: string, body?: object) => Promise<{ body: unknown }>

export const speaker =
  (account: SellerAccount): Speak =>
  async (method, path, body) => {
    const headers = { 'x-amz-access-token': await accessToken(account), 'user-agent': 'Throughline/1 (Language=TypeScript)', ...(body && { 'content-type': 'application/json' }) }
    const answer = await send(account.call, new URL(path, account.url).href, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    if (answer.status === 401 || answer.status === 403) tokens.delete(nameOf(account))
    return { body: readJson(needOk(answer, 'Amazon').body) }
  }

/** @throws ChannelFault, ChannelRefusal where it may not go */
export const send = (call: CallOutside, url: string, what: OutsideCall): Promise<OutsideAnswer> =>
  call(url, what).catch((cause: Error) => {
    throw cause instanceof ForbiddenDestination ? new ChannelRefusal(`its address ${cause.message}`) : new ChannelFault(cause.message)
  })

/** Too many calls (429) pass, and so may what is wrong over there. @throws ChannelFault, ChannelRefusal */
export function needOk(answer: OutsideAnswer, who: string): OutsideAnswer {
  const { status } = answer
  if (status >= 200 && status < 300) return answer
  const said = errorsOf(answer)
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) throw new ChannelRefusal(`${who} answered ${status}${said}`)
  throw new ChannelFault(`${who} answered ${status}${said}`)
}

const errorShape = z.looseObject({ errors: z.array(z.looseObject({ code: z.string().max(100) })).min(1) })
function errorsOf({ body }: OutsideAnswer): string {
  const read = errorShape.safeParse(readJson(body))
  return read.success ? `: ${read.data.errors.map((e) => e.code).join(', ')}` : ''
}

const tokens = new Map<string, { token: string; until: number }>()
const nameOf = ({ tokenUrl, clientId, refreshToken }: SellerAccount): string => createHash('sha256').update(JSON.stringify([tokenUrl, clientId, refreshToken])).digest('hex')
const tokenShape = z.looseObject({ access_token: z.string().min(1), expires_in: z.number() })
/** Had anew so long before it ends. */
const marginMs = 60_000

async function accessToken(account: SellerAccount): Promise<string> {
  const name = nameOf(account)
  const known = tokens.get(name)
  if (known && known.until > Date.now()) return known.token
  const { refreshToken, clientId, clientSecret } = account
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId, client_secret: clientSecret }).toString()
  const answer = needOk(await send(account.call, account.tokenUrl, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }), 'Amazon’s sign-in')
  const read = tokenShape.safeParse(readJson(answer.body))
  if (!read.success) throw new ChannelFault('Amazon’s token cannot be read')
  tokens.set(name, { token: read.data.access_token, until: Date.now() + read.data.expires_in * 1_000 - marginMs })
  return read.data.access_token
}
