/** API keys: only their SHA-256 is kept, so the table cannot be used to call us. */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { refuse } from '../domain/refusals'
import { row, rows, run, type Db, type Transaction } from './connection'
import { Conditions } from './views/sql'

export interface ApiKeyRow {
  apiKeyId: string
  name: string
  role: string
  channels: string[]
  nodes: string[]
  driverId: string | null
  demo: boolean
  rateLimit: number | null
  expiresAt: string | null
}

export const hashApiKey = (key: string): Buffer => createHash('sha256').update(key).digest()

const scope = `api_key_id AS "apiKeyId", name, role, channels, nodes, driver_id AS "driverId", demo, rate_limit AS "rateLimit", expires_at AS "expiresAt"`
const active = 'revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())'

/** The key with this hash, unless it was revoked or its time is over. */
export const findApiKey = (db: Db, hash: Buffer): Promise<ApiKeyRow | undefined> => row(db, `SELECT ${scope} FROM api_keys WHERE key_hash = ? AND ${active}`, [hash])

export interface NewApiKey {
  key: string
  name: string
  role: string
  channels?: readonly string[]
  nodes?: readonly string[]
  driverId?: string
  demo?: boolean
}

/** Adds a key, or sets role and reach of the one that is there; a revoked key stays revoked. */
export async function putApiKey(db: Db | Transaction, wanted: NewApiKey): Promise<void> {
  await run(db, 
    `INSERT INTO api_keys (api_key_id, key_hash, name, role, channels, nodes, driver_id, demo) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key_hash) DO UPDATE SET name = excluded.name, role = excluded.role, channels = excluded.channels, nodes = excluded.nodes,
       driver_id = excluded.driver_id, demo = excluded.demo`,
    [uuidv7(), hashApiKey(wanted.key), wanted.name, wanted.role, [...(wanted.channels ?? [])], [...(wanted.nodes ?? [])], wanted.driverId ?? null, wanted.demo ?? false],
  )
}

export interface MadeApiKey extends Omit<NewApiKey, 'demo'> {
  /** Its first characters. */
  prefix: string
  actor: string
  expiresAt?: string
  rateLimit?: number
}

/** @returns its id */
export async function makeApiKey(db: Db | Transaction, made: MadeApiKey): Promise<string> {
  const apiKeyId = uuidv7()
  await run(db, `INSERT INTO api_keys (api_key_id, key_hash, name, role, channels, nodes, driver_id, prefix, created_by, expires_at, rate_limit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
    apiKeyId, hashApiKey(made.key), made.name, made.role, [...(made.channels ?? [])], [...(made.nodes ?? [])], made.driverId ?? null, made.prefix, made.actor, made.expiresAt ?? null, made.rateLimit ?? null,
  ])
  return apiKeyId
}

/**
 * Nobody could make keys any more without one of role admin, so the last of them stays.
 * @param demo whether the keys of the demo network work here
 * @throws `api_key.unknown`, `api_key.last_admin`
 */
export async function revokeApiKey(tx: Transaction, { apiKeyId, actor, demo }: { apiKeyId: string; actor: string; demo: boolean }): Promise<void> {
  // In the same order for everybody: of two admins who revoke each other, one is refused.
  const admins = await rows<{ apiKeyId: string }>(tx, `SELECT api_key_id AS "apiKeyId" FROM api_keys WHERE role = 'admin' AND ${active} AND (NOT demo OR ?) ORDER BY api_key_id FOR UPDATE`, [demo])
  if (admins.length === 1 && admins[0]!.apiKeyId === apiKeyId) throw refuse('api_key.last_admin')
  const found = await row(tx, 'UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), revoked_by = coalesce(revoked_by, ?) WHERE api_key_id = ? RETURNING 1', [actor, apiKeyId])
  if (!found) throw refuse('api_key.unknown')
}

/** Held until the end of the transaction: two who look at the same time do not both find none. */
export async function hasAdminKey(tx: Transaction): Promise<boolean> {
  await run(tx, 'LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE')
  return (await row(tx, `SELECT 1 FROM api_keys WHERE role = 'admin' AND NOT demo AND ${active}`)) !== undefined
}

/** Kept to the minute: whoever calls all the time writes once. */
export const noteApiKeyUse = (db: Db, apiKeyId: string): Promise<void> =>
  run(db, `UPDATE api_keys SET last_used_at = now() WHERE api_key_id = ? AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`, [apiKeyId])

export interface ApiKeyView extends ApiKeyRow {
  prefix: string | null
  createdBy: string
  createdAt: string
  lastUsedAt: string | null
  revokedAt: string | null
  revokedBy: string | null
}
const viewColumns = `${scope}, prefix, created_by AS "createdBy", created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt", revoked_by AS "revokedBy"`

/** Newest first. */
export function apiKeyList(db: Db, { role, before, limit }: { role?: string; before?: string; limit: number }): Promise<ApiKeyView[]> {
  const where = new Conditions().when(role, 'role = ?').when(before, 'api_key_id < ?')
  return rows(db, `SELECT ${viewColumns} FROM api_keys ${where.where} ORDER BY api_key_id DESC LIMIT ?`, [...where.bindings, limit])
}

export const apiKeyView = (db: Db | Transaction, apiKeyId: string): Promise<ApiKeyView | undefined> => row(db, `SELECT ${viewColumns} FROM api_keys WHERE api_key_id = ?`, [apiKeyId])
