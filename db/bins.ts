/** Where goods lie in a building: one bin per SKU and node. */
import { rows, run, type Db, type Transaction } from './connection'
import { writeAudit } from './audit'
import { Conditions } from './views/sql'

export interface Bin {
  sku: string
  bin: string
}

/** Sets the bins that are named and leaves the others; null takes one away. */
export async function putBins(tx: Transaction, ask: { nodeId: string; bins: readonly { sku: string; bin: string | null }[]; actor: string; cause: string }): Promise<void> {
  const given = JSON.stringify([...ask.bins].sort((a, b) => (a.sku < b.sku ? -1 : 1)))
  await run(tx, `DELETE FROM bins USING jsonb_to_recordset(?::jsonb) AS g(sku text, bin text) WHERE bins.node_id = ? AND bins.sku = g.sku AND g.bin IS NULL`, [given, ask.nodeId])
  await run(
    tx,
    `INSERT INTO bins (node_id, sku, bin) SELECT ?, sku, bin FROM jsonb_to_recordset(?::jsonb) AS g(sku text, bin text) WHERE bin IS NOT NULL
     ON CONFLICT (node_id, sku) DO UPDATE SET bin = excluded.bin`,
    [ask.nodeId, given],
  )
  await writeAudit(tx, { actor: ask.actor, action: 'bins.put', subject: ask.nodeId, cause: ask.cause })
}

export function binList(db: Db | Transaction, { nodeId, after, limit }: { nodeId: string; after?: string; limit: number }): Promise<Bin[]> {
  const where = new Conditions().add('node_id = ?', nodeId).when(after, 'sku > ?')
  return rows(db, `SELECT sku, bin FROM bins ${where.where} ORDER BY sku LIMIT ?`, [...where.bindings, limit])
}
