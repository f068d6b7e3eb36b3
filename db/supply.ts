/** Stock that is still to come: what suppliers announce for a shelf, with its date, until it is delivered or withdrawn. */
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, run, type Transaction } from './connection'

export interface SupplyKey {
  sku: string
  nodeId: string
  reference: string
}
export interface Supply extends SupplyKey {
  /** Still to come. */
  quantity: number
  expectedAt: string
}

/** Takes the place of what was announced before under the same reference; nothing is left of it with quantity 0. */
export async function announceSupply(tx: Transaction, supply: Supply, actor: string): Promise<void> {
  await run(tx, 'INSERT INTO stock_levels (sku, node_id) VALUES (?, ?) ON CONFLICT DO NOTHING', [supply.sku, supply.nodeId])
  await run(
    tx,
    `INSERT INTO supply (sku, node_id, reference, quantity, expected_at) VALUES (:sku, :nodeId, :reference, :quantity, :expectedAt)
     ON CONFLICT (sku, node_id, reference) DO UPDATE SET quantity = excluded.quantity, expected_at = excluded.expected_at, announced_at = now()`,
    { ...supply },
  )
  await writeAudit(tx, { actor, action: 'supply.announce', subject: `${supply.sku}@${supply.nodeId}`, cause: `${supply.reference}: ${supply.quantity}` })
}

/** Units of it are on the shelf now; more may have come than was announced. @throws `supply.unknown` */
export async function receiveSupply(tx: Transaction, { units, ...key }: SupplyKey & { units: number }): Promise<void> {
  const known = await row(
    tx,
    'UPDATE supply SET quantity = greatest(0, quantity - :units::int) WHERE sku = :sku AND node_id = :nodeId AND reference = :reference RETURNING sku',
    { sku: key.sku, nodeId: key.nodeId, reference: key.reference, units },
  )
  if (!known) throw refuse('supply.unknown', { reference: key.reference }, undefined, [{ pointer: '/supplyReference', message: 'Nothing was announced under it for this SKU and node' }])
}
