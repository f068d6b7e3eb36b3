/** Stock that is still to come: what suppliers announce for a shelf, with its date, until it is delivered or withdrawn. */
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, run, type Transaction } from './connection'
import { cutClaims } from './supply-claims'
import { openException } from './waiting'

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

/**
 * Takes the place of what was announced before under the same reference; nothing is left of it with quantity 0. Orders that were promised more than is
 * left of it lose the promise, the last in line first, and somebody is told.
 */
export async function announceSupply(tx: Transaction, supply: Supply, actor: string): Promise<void> {
  const { sku, nodeId, reference } = supply
  await run(tx, 'INSERT INTO stock_levels (sku, node_id) VALUES (?, ?) ON CONFLICT DO NOTHING', [sku, nodeId])
  await run(tx, 'INSERT INTO supply (sku, node_id, reference, quantity, expected_at) VALUES (?, ?, ?, 0, ?) ON CONFLICT DO NOTHING', [sku, nodeId, reference, supply.expectedAt])
  const known = await lockSupply(tx, supply)
  const cut = await cutClaims(tx, known!, supply.quantity, 'withdrawn')
  await run(tx, 'UPDATE supply SET quantity = :quantity, expected_at = :expectedAt, announced_at = now() WHERE sku = :sku AND node_id = :nodeId AND reference = :reference', { ...supply })
  for (const { orderId, channel, quantity } of cut)
    await openException(tx, {
      orderId,
      channel,
      kind: 'supply.withdrawn',
      subject: orderId,
      owner: 'operations',
      summary: `${quantity} of ${sku} that the order was promised will not come`,
      data: { sku, nodeId, reference, quantity },
    })
  await writeAudit(tx, { actor, action: 'supply.announce', subject: `${sku}@${nodeId}`, cause: `${reference}: ${supply.quantity}` })
}

/** Units of it are on the shelf now; more may have come than was announced. @throws `supply.unknown` */
export async function receiveSupply(tx: Transaction, { units, ...key }: SupplyKey & { units: number }): Promise<void> {
  const known = await lockSupply(tx, key)
  if (!known) throw refuse('supply.unknown', { reference: key.reference }, undefined, [{ pointer: '/supplyReference', message: 'Nothing was announced under it for this SKU and node' }])
  const left = Math.max(0, known.quantity - units)
  await cutClaims(tx, known, left, 'arrived')
  await run(tx, 'UPDATE supply SET quantity = ? WHERE sku = ? AND node_id = ? AND reference = ?', [left, key.sku, key.nodeId, key.reference])
}

const lockSupply = (tx: Transaction, { sku, nodeId, reference }: SupplyKey): Promise<(SupplyKey & { quantity: number; promised: number }) | undefined> =>
  row(tx, 'SELECT sku, node_id AS "nodeId", reference, quantity, promised FROM supply WHERE sku = ? AND node_id = ? AND reference = ? FOR UPDATE', [sku, nodeId, reference])
