/** Files of many orders: one row for the file, known by its key and content, and one for what became of each order, written in the transaction that accepts it. */
import { uuidv7 } from 'uuidv7'
import type { RefusalDetail } from '../domain/refusals'
import { auditBindings, auditSql, type AuditEntry } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface BulkResult {
  /** Of the order in the file, from 0. */
  index: number
  channelOrderId: string | null
  outcome: 'created' | 'existing' | 'refused'
  orderId?: string
  code?: string
  detail?: string
  errors?: readonly RefusalDetail[]
}

/** Whoever works on a file holds it by a token, for as long as it says so. */
export interface HeldBulk {
  bulkId: string
  token: string
  /** Every order of it has its result already. */
  done: boolean
}

const leaseSeconds = 30

/** @returns why it cannot be worked on: the key was used for another file, or somebody is at it. */
export async function holdBulk(db: Db, file: { apiKeyId: string; idempotencyKey: string; contentHash: Buffer; actor: string }): Promise<HeldBulk | 'other_file' | 'under_way'> {
  const token = uuidv7()
  const held = await row<{ bulkId: string; done: boolean }>(
    db,
    `INSERT INTO bulk_submits AS b (bulk_id, api_key_id, idempotency_key, content_hash, actor, lease_token, lease_until) VALUES (?, ?, ?, ?, ?, ?, now() + ? * interval '1 second')
     ON CONFLICT (api_key_id, idempotency_key) DO UPDATE SET lease_token = excluded.lease_token, lease_until = excluded.lease_until
       WHERE b.content_hash = excluded.content_hash AND (b.lease_until IS NULL OR b.lease_until < now())
     RETURNING bulk_id AS "bulkId", done_at IS NOT NULL AS done`,
    [uuidv7(), file.apiKeyId, file.idempotencyKey, file.contentHash, file.actor, token, leaseSeconds],
  )
  if (held) return { ...held, token }
  const first = await row<{ contentHash: Buffer }>(db, 'SELECT content_hash AS "contentHash" FROM bulk_submits WHERE api_key_id = ? AND idempotency_key = ?', [
    file.apiKeyId,
    file.idempotencyKey,
  ])
  return first?.contentHash.equals(file.contentHash) ? 'under_way' : 'other_file'
}

/** @returns false when another process has taken the file over. */
export const stillHolds = async (db: Db, { bulkId, token }: HeldBulk): Promise<boolean> =>
  (await row(db, `UPDATE bulk_submits SET lease_until = now() + ? * interval '1 second' WHERE bulk_id = ? AND lease_token = ? RETURNING bulk_id`, [leaseSeconds, bulkId, token])) !== undefined

export async function letGoOfBulk(db: Db, { bulkId, token }: HeldBulk, done: boolean): Promise<void> {
  await run(db, 'UPDATE bulk_submits SET lease_until = NULL, done_at = CASE WHEN ? THEN coalesce(done_at, now()) ELSE done_at END WHERE bulk_id = ? AND lease_token = ?', [done, bulkId, token])
}

/** What became of the orders from index `from` up to, but not including, `to`. */
export async function bulkResults(db: Db, { bulkId }: HeldBulk, from: number, to: number): Promise<Map<number, BulkResult>> {
  const found = await rows<{ index: number; result: BulkResult }>(db, 'SELECT index, result FROM bulk_results WHERE bulk_id = ? AND index >= ? AND index < ?', [bulkId, from, to])
  return new Map(found.map(({ index, result }) => [index, result]))
}

/** Written as text: read back, its fields stand in the order they had. With the audit rows of the orders that were created. */
export async function keepBulkResults(db: Db | Transaction, { bulkId }: HeldBulk, results: readonly BulkResult[], audit: readonly AuditEntry[] = []): Promise<void> {
  const [indexes, texts] = [results.map((result) => result.index), results.map((result) => JSON.stringify(result))]
  await run(
    db,
    `WITH audited AS (${auditSql}) INSERT INTO bulk_results (bulk_id, index, result) SELECT ?::uuid, index, result::json FROM unnest(?::int[], ?::text[]) AS r(index, result)`,
    [...auditBindings(db, audit), bulkId, indexes, texts],
  )
}
