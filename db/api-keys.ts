/** API keys: only their SHA-256 is kept, so the table cannot be used to call us. */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { row, run, type Db, type Transaction } from './connection'

export interface ApiKeyRow {
  apiKeyId: string
  name: string
  role: string
  channels: string[]
  nodes: string[]
  driverId: string | null
  demo: boolean
}

export const hashApiKey = (key: string): Buffer => createHash('sha256').update(key).digest()

/** The key with this hash, unless it was revoked. */
export const findApiKey = (db: Db, hash: Buffer): Promise<ApiKeyRow | undefined> =>
  row(
    db,
    `SELECT api_key_id AS "apiKeyId", name, role, channels, nodes, driver_id AS "driverId", demo FROM api_keys WHERE key_hash = ? AND revoked_at IS NULL`,
    [hash],
  )

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

export async function revokeApiKey(db: Db | Transaction, key: string): Promise<void> {
  await run(db, 'UPDATE api_keys SET revoked_at = now() WHERE key_hash = ? AND revoked_at IS NULL', [hashApiKey(key)])
}
