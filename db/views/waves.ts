/** Reads a wave: its pick list as it stands now, its orders, and what has left it. */
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { pickList, type PickNeed, type PickStop } from '../../domain/fulfillment/pick-list'
import { row, rows, type Db, type Transaction } from '../connection'
import { Conditions } from './sql'

export interface WaveSummary {
  waveId: string
  nodeId: string
  assignee: string | null
  openedAt: string
  closedAt: string | null
  /** Of its orders: how many there are, and how many are still to be picked. */
  orders: number
  toPick: number
}
export interface WaveView extends WaveSummary {
  pickList: PickStop[]
  fulfillments: WaveFulfillment[]
  /** What is not to be picked any more; units that were picked already go back to their bin. */
  left: LeftFulfillment[]
}
export interface WaveFulfillment {
  fulfillmentId: string
  orderId: string
  channelOrderId: string
  position: number
  status: FulfillmentStatus
  assignee: string | null
  dueAt: string
}
export interface LeftFulfillment extends Omit<WaveFulfillment, 'dueAt' | 'assignee'> {
  why: string
  leftAt: string
  putBack: { sku: string; name: string; bin: string | null; quantity: number }[]
}

const summaryColumns = `w.wave_id AS "waveId", w.node_id AS "nodeId", w.assignee, w.opened_at AS "openedAt", w.closed_at AS "closedAt",
  (SELECT count(*) FROM wave_fulfillments m WHERE m.wave_id = w.wave_id AND m.left_at IS NULL) AS orders,
  (SELECT count(*) FROM wave_fulfillments m JOIN fulfillments f USING (fulfillment_id) WHERE m.wave_id = w.wave_id AND m.left_at IS NULL AND f.status IN ('released', 'picking')) AS "toPick"`

export const waveList = (db: Db, { nodeId, after, limit }: { nodeId: string; after?: string; limit: number }): Promise<WaveSummary[]> => {
  const where = new Conditions().add('w.node_id = ?', nodeId).when(after, 'w.wave_id < ?')
  return rows(db, `SELECT ${summaryColumns} FROM waves w ${where.where} ORDER BY w.wave_id DESC LIMIT ?`, [...where.bindings, limit])
}

export const waveNode = async (db: Db | Transaction, waveId: string): Promise<string | undefined> =>
  (await row<{ nodeId: string }>(db, 'SELECT node_id AS "nodeId" FROM waves WHERE wave_id = ?', [waveId]))?.nodeId

interface Member extends WaveFulfillment {
  why: string | null
  leftAt: string | null
}
interface MemberLine extends PickNeed {
  picked: number
}

export async function waveView(db: Db | Transaction, waveId: string): Promise<WaveView | undefined> {
  const summary = await row<WaveSummary>(db, `SELECT ${summaryColumns} FROM waves w WHERE w.wave_id = ?`, [waveId])
  if (!summary) return undefined
  const members = await rows<Member>(
    db,
    `SELECT f.fulfillment_id AS "fulfillmentId", f.order_id AS "orderId", o.channel_order_id AS "channelOrderId", m.position, f.status, f.assignee, f.due_first AS "dueAt",
       m.left_why AS why, m.left_at AS "leftAt"
     FROM wave_fulfillments m JOIN fulfillments f USING (fulfillment_id) JOIN orders o USING (order_id) WHERE m.wave_id = ? ORDER BY m.position`,
    [waveId],
  )
  const lines = await rows<MemberLine>(
    db,
    `SELECT l.fulfillment_id AS "fulfillmentId", l.line_id AS "lineId", m.position, l.sku, s.name, l.quantity - l.picked - l.rejected AS open, l.picked, b.bin
     FROM wave_fulfillments m JOIN fulfillments f USING (fulfillment_id) JOIN fulfillment_lines l USING (fulfillment_id) JOIN skus s USING (sku)
       LEFT JOIN bins b ON b.sku = l.sku AND b.node_id = f.node_id WHERE m.wave_id = ? ORDER BY m.position, l.line_id`,
    [waveId],
  )
  const inside = members.filter((m) => m.leftAt === null)
  const stillIn = new Set(inside.map((m) => m.fulfillmentId))
  return {
    ...summary,
    pickList: pickList(lines.filter((l) => stillIn.has(l.fulfillmentId))),
    fulfillments: inside.map(({ why: _why, leftAt: _leftAt, ...member }) => member),
    left: members.filter((m) => m.leftAt !== null).map((m) => leftOf(m, lines)),
  }
}

const leftOf = ({ dueAt: _dueAt, assignee: _assignee, why, leftAt, ...member }: Member, lines: readonly MemberLine[]): LeftFulfillment => ({
  ...member,
  why: why!,
  leftAt: leftAt!,
  putBack: why === 'closed' ? [] : lines.filter((l) => l.fulfillmentId === member.fulfillmentId && l.picked > 0).map(({ sku, name, bin, picked }) => ({ sku, name, bin, quantity: picked })),
})
