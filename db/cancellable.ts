/** Where every unit of an order is, as far as that decides whether it can still be cancelled. */
import { isGone, type FulfillmentStatus } from '../domain/fulfillment/moves'
import { insteadOfCancelling, planCancellation, withoutSentAgain, type CancelledUnits, type LineInPlaces, type Place } from '../domain/order/cancellation'
import type { Units } from '../domain/payment/shares'
import { Refusal, refuse } from '../domain/refusals'
import { rows, type Transaction } from './connection'

/** In the order of the document. */
export async function linesInPlaces(tx: Transaction, orderId: string): Promise<LineInPlaces[]> {
  const found = await rows<LineRow>(tx, linesSql, { orderId })
  const standing = new Map<string, number>()
  for (const { fulfillmentId, quantity } of found.flatMap((l) => l.claims)) if (fulfillmentId !== null) standing.set(fulfillmentId, (standing.get(fulfillmentId) ?? 0) + quantity)
  const placesOf = (claim: Claim): Place[] => placed(claim, standing.get(claim.fulfillmentId ?? '') ?? 0)
  return found.map(({ open, sentAgain, sentAgainClaimed, shipped, claims, ...line }) => {
    const claimed = withoutSentAgain(claims.flatMap(placesOf), sentAgainClaimed)
    const places: Place[] = [{ state: 'open', quantity: open }, ...claimed, { state: 'sent_again', quantity: sentAgain }, { state: 'gone', quantity: shipped }]
    return { ...line, places: places.filter((p) => p.quantity > 0) }
  })
}

/** Which units it takes. @throws `order.units_not_cancellable`, with what can be done instead where some of them have left */
export async function planUnits(tx: Transaction, orderId: string, lines: readonly LineInPlaces[], wanted: readonly Units[]): Promise<CancelledUnits[]> {
  try {
    return planCancellation(lines, wanted)
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'order.units_not_cancellable') throw cause
    const tooFew = cause.data.lines as { lineId: string; asked: number; cancellable: number; elsewhere: Place[] }[]
    const left = tooFew.filter((l) => hasLeft(l.elsewhere) && l.asked > l.cancellable + inside(l.elsewhere)).map((l) => l.lineId)
    if (left.length === 0) throw cause
    throw refuse(cause.code, { ...cause.data, instead: insteadOfCancelling(await worksWith(tx, orderId, left)) })
  }
}

const hasLeft = (places: readonly Place[]): boolean => places.some((p) => p.state === 'gone')
const inside = (places: readonly Place[]): number => places.reduce((sum, p) => sum + (p.state === 'gone' ? 0 : p.quantity), 0)

/** What has left with any of these lines in it. */
const worksWith = async (tx: Transaction, orderId: string, lineIds: readonly string[]): Promise<{ status: FulfillmentStatus; method: string }[]> =>
  (await rows<{ status: FulfillmentStatus; method: string }>(
    tx,
    'SELECT DISTINCT f.status, f.method FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE f.order_id = ? AND l.line_id = ANY(?) AND l.picked > 0',
    [orderId, lineIds],
  )).filter(isGone)

interface LineRow extends Omit<LineInPlaces, 'places'> {
  open: number
  sentAgain: number
  /** Of these, how many are claimed at a node already. */
  sentAgainClaimed: number
  shipped: number
  claims: Claim[]
}
/** The units of a line that are claimed at a node, for a work order or for none yet. */
interface Claim {
  nodeId: string
  fulfillmentId: string | null
  status: FulfillmentStatus | null
  inTransfer: boolean
  quantity: number
  picked: number
}

/** Units that another order work was begun for first are the last to be taken out: the newest work comes first. */
const linesSql = `
  SELECT l.line_id AS "lineId", l.sku, l.quantity, l.cancelled, l.kit, l.replaces, greatest(0, l.quantity - l.cancelled - l.shipped - l.allocated - l.resend) AS open, l.resend AS "sentAgain",
    greatest(0, l.resend - greatest(0, l.quantity - l.cancelled - l.shipped - l.allocated)) AS "sentAgainClaimed", l.shipped,
    coalesce(c.claims, '[]') AS claims
  FROM order_lines l LEFT JOIN (
    SELECT a.line_id, json_agg(json_build_object('nodeId', a.node_id, 'fulfillmentId', a.fulfillment_id, 'status', f.status, 'inTransfer', a.in_transfer, 'quantity', a.quantity,
                                                 'picked', coalesce(fl.picked, 0)) ORDER BY a.fulfillment_id DESC NULLS FIRST, a.node_id) AS claims
    FROM (SELECT line_id, node_id, fulfillment_id, status = 'in_transfer' AS in_transfer, sum(quantity)::int AS quantity FROM allocations
          WHERE order_id = :orderId AND status IN ('open', 'in_transfer') GROUP BY 1, 2, 3, 4) a
      LEFT JOIN fulfillments f USING (fulfillment_id) LEFT JOIN fulfillment_lines fl ON fl.fulfillment_id = a.fulfillment_id AND fl.line_id = a.line_id GROUP BY 1) c USING (line_id)
  WHERE l.order_id = :orderId ORDER BY l.position`

/** @param together how many units its work has claimed at the node, of whatever lines */
function placed({ nodeId, fulfillmentId, status, inTransfer, quantity, picked }: Claim, together: number): Place[] {
  if (fulfillmentId === null || status === null) return [{ state: 'allocated', quantity, nodeId }]
  const at = { nodeId, fulfillmentId }
  if (inTransfer) return [{ ...at, state: 'in_transfer', quantity }]
  if (status === 'released') return [{ ...at, state: status, quantity }]
  if (status === 'packed' || status === 'ready') return [{ ...at, state: status, quantity, together }]
  return [
    { ...at, state: 'picking', quantity: quantity - picked },
    { ...at, state: 'picked', quantity: picked },
  ]
}
