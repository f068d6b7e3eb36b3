/** Who is calling, and what they reach. A key is looked up by its hash and remembered for a few seconds, so a revoked one stops working soon and a busy one costs nothing. */
import { findApiKey, hashApiKey, noteApiKeyUse, type ApiKeyRow } from '../db/api-keys'
import type { Db } from '../db/connection'
import { refuse } from '../domain/refusals'
import { mayBeApiKey } from './key-text'
import type { Role } from './permissions'

export interface ApiKey extends Omit<ApiKeyRow, 'role'> {
  role: Role
  /** How this key signs what it does: `channel:demo-channel-web`. */
  actor: string
}

export type Authenticate = (authorization: string | undefined) => Promise<ApiKey>

const rememberedMs = 5_000
const useEveryMs = 60_000

/** @returns a function that reads the Authorization header. @throws `auth.missing`, `auth.unknown_key`. */
export function createAuthenticate(db: Db, options: { demo: boolean }): Authenticate {
  const remembered = new Map<string, { key: ApiKey; until: number }>()
  const used = new Map<string, number>()
  /** Nobody waits for it: a use that could not be written is written with the next. */
  const noteUse = (apiKeyId: string): void => {
    if ((used.get(apiKeyId) ?? 0) > Date.now() - useEveryMs) return
    used.set(apiKeyId, Date.now())
    noteApiKeyUse(db, apiKeyId).catch(() => used.delete(apiKeyId))
  }
  return async (authorization) => {
    const given = /^Bearer +([!-~]{1,300})$/i.exec(authorization ?? '')?.[1]
    if (given === undefined) throw refuse('auth.missing')
    if (!mayBeApiKey(given)) throw refuse('auth.unknown_key')
    const hash = hashApiKey(given)
    const id = hash.toString('base64')
    const known = remembered.get(id)
    if (known && known.until > Date.now()) return known.key
    const found = await findApiKey(db, hash)
    if (!found || (found.demo && !options.demo)) {
      remembered.delete(id)
      throw refuse('auth.unknown_key')
    }
    const key: ApiKey = { ...found, role: found.role as Role, actor: `${found.role}:${found.name}` }
    remembered.set(id, { key, until: Math.min(Date.now() + rememberedMs, found.expiresAt === null ? Infinity : Date.parse(found.expiresAt)) })
    noteUse(key.apiKeyId)
    return key
  }
}

/** Roles that see only what their key names; all others see everything their role may read. */
export const seesAllChannels = (key: ApiKey): boolean => key.role !== 'channel' && key.role !== 'store'
export const seesAllNodes = (key: ApiKey): boolean => key.role !== 'store'

export const reachesChannel = (key: ApiKey, channel: string): boolean => seesAllChannels(key) || key.channels.includes(channel)
export const reachesNode = (key: ApiKey, nodeId: string): boolean => seesAllNodes(key) || key.nodes.includes(nodeId)
export const reachesDriver = (key: ApiKey, driverId: string): boolean => key.role !== 'courier' || key.driverId === driverId

/** The channels a list is narrowed to; null: all. */
export const visibleChannels = (key: ApiKey): string[] | null => (seesAllChannels(key) ? null : key.channels)
export const visibleNodes = (key: ApiKey): string[] | null => (seesAllNodes(key) ? null : key.nodes)

/** For what a body names: a channel or node out of reach is refused with the place that names it. */
export function requireChannel(key: ApiKey, channel: string, pointer: string): void {
  if (!reachesChannel(key, channel)) throw refuseScope(pointer, 'This API key does not reach this channel')
}
export function requireNode(key: ApiKey, nodeId: string, pointer: string): void {
  if (!reachesNode(key, nodeId)) throw refuseScope(pointer, 'This API key does not reach this node')
}

const refuseScope = (pointer: string, message: string): Error => refuse('auth.scope', { pointer }, message, [{ pointer, message }])

/** The role in an actor's name, for answers given later on its behalf. */
export const roleOfActor = (actor: string): Role => actor.split(':', 1)[0] as Role
