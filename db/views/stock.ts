/** Reads stock: the level of every SKU at every node, and the movements it is the sum of. */
import { available, availableToSell, type ChannelStock } from '../../domain/inventory/level'
import { rows, type Db, type Transaction } from '../connection'
import { Conditions, iso, list } from './sql'

export interface LevelView {
  sku: string
  nodeId: string
  onHand: number
  unsellable: number
  reserved: number
  allocated: number
  safetyStock: number
  /** 0–1: how far its count is believed. */
  trust: number
  available: number
  /** Available to sell per channel. */
  channels: Record<string, number>
  /** Announced and not yet delivered, the next first. */
  expected: ExpectedView[]
  countedAsOf: string | null
  /** Of a kit: what it is made of, and what is available of each. */
  components?: { sku: string; quantity: number; available: number }[]
}

export interface ExpectedView {
  quantity: number
  expectedAt: string
  reference: string
}

export interface LevelFilter {
  sku?: string
  nodeId?: string
  /** Only these nodes; null: all. */
  nodes?: readonly string[] | null
  after?: { sku: string; nodeId: string }
  limit: number
}

export async function levelList(db: Db | Transaction, filter: LevelFilter): Promise<LevelView[]> {
  const where = new Conditions().when(filter.sku, 'sku = ?').when(filter.nodeId, 'node_id = ?').when(filter.nodes && [...filter.nodes], 'node_id = ANY(?)')
  if (filter.after) where.add('(sku, node_id) > (?, ?)', filter.after.sku, filter.after.nodeId)
  const levels = await rows<Omit<LevelView, 'available' | 'channels'>>(
    db,
    `SELECT sku, node_id AS "nodeId", on_hand AS "onHand", unsellable, reserved, allocated, safety_stock AS "safetyStock", trust, counted_as_of AS "countedAsOf",
       ${expectedJson} AS expected
     FROM stock_levels l ${where.where} ORDER BY sku, node_id LIMIT ?`,
    [...where.bindings, filter.limit],
  )
  const channels = await rows<ChannelStock & { channelId: string }>(
    db,
    'SELECT channel_id AS "channelId", stock_buffer AS "stockBuffer", stock_threshold AS "stockThreshold" FROM channels ORDER BY channel_id',
  )
  return levels.map((level) => {
    const free = available(level)
    return { ...level, available: free, channels: Object.fromEntries(channels.map((channel) => [channel.channelId, availableToSell(free, channel)])) }
  })
}

const expectedJson = list(
  `json_build_object('quantity', s.quantity, 'expectedAt', ${iso('s.expected_at')}, 'reference', s.reference)`,
  'supply s WHERE s.sku = l.sku AND s.node_id = l.node_id AND s.quantity > 0',
  's.expected_at, s.reference',
)

export interface MovementView {
  movementId: number
  nodeId: string
  type: string
  onHandDelta: number
  unsellableDelta: number
  reservedDelta: number
  allocatedDelta: number
  orderId: string | null
  reason: string | null
  actor: string
  at: string
}

/** Newest first. */
export function movementList(db: Db, filter: { sku: string; nodeId?: string; nodes: readonly string[] | null; before?: number; limit: number }): Promise<MovementView[]> {
  const where = new Conditions()
    .add('sku = ?', filter.sku)
    .when(filter.nodeId, 'node_id = ?')
    .when(filter.nodes && [...filter.nodes], 'node_id = ANY(?)')
    .when(filter.before, 'movement_id < ?')
  return rows(
    db,
    `SELECT movement_id AS "movementId", node_id AS "nodeId", type, on_hand_delta AS "onHandDelta", unsellable_delta AS "unsellableDelta", reserved_delta AS "reservedDelta",
       allocated_delta AS "allocatedDelta", order_id AS "orderId", reason, actor, at
     FROM stock_movements ${where.where} ORDER BY movement_id DESC LIMIT ?`,
    [...where.bindings, filter.limit],
  )
}
