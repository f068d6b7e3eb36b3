/** What rules know of channels, as it is now, and the policies that their orders would live by. */
import type { ChannelFacts } from '../domain/policy/channel-facts'
import { policiesFor } from '../domain/policy/channel-rules'
import type { Policies } from '../domain/policy/kinds'
import { row, rows, type Db, type Transaction } from './connection'
import { activePolicies } from './policies'

/** Of a channel, in a row of their own. */
export const factColumns = `channel_id AS "channelId", kind, currency, time_zone AS "timeZone", claim, flags, limits, return_terms AS "returnTerms"`

/** Of a channel `c`, as one value. */
export const factsJson = `json_build_object('channelId', c.channel_id, 'kind', c.kind, 'currency', c.currency, 'timeZone', c.time_zone, 'claim', c.claim, 'flags', c.flags, 'limits', c.limits, 'returnTerms', c.return_terms)`

export const factsOfChannel = (db: Db | Transaction, channelId: string): Promise<ChannelFacts | undefined> => row<ChannelFacts>(db, `SELECT ${factColumns} FROM channels WHERE channel_id = ?`, [channelId])

/** What an order of the channel would live by if it were placed now; of a channel that nobody knows, what is in force. */
export async function policiesOfChannel(db: Db | Transaction, channelId: string): Promise<Policies> {
  const [{ documents }, facts] = [await activePolicies(db), await factsOfChannel(db, channelId)]
  return facts ? policiesFor(documents, facts) : documents
}

/** Which of `channelIds` do not exist. */
export async function unknownChannels(db: Db | Transaction, channelIds: readonly string[]): Promise<Set<string>> {
  const found = new Set((await rows<{ channelId: string }>(db, 'SELECT channel_id AS "channelId" FROM channels WHERE channel_id = ANY(?)', [[...channelIds]])).map((c) => c.channelId))
  return new Set(channelIds.filter((id) => !found.has(id)))
}
