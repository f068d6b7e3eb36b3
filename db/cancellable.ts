/** Where every unit of an order is, as far as that decides whether it can still be cancelled. */
import type { FulfillmentStatus } from '../domain/fulfillment/moves'
import { withoutSentAgain, type LineInPlaces, type Place } from '../domain/order/cancellation'
import { rows, type Transaction } from './connection'

/** In the order of the document. */
export async function linesInPlaces(tx: Transaction, orderId: string): Promise<LineInPlaces[]> {
  const found = await rows<LineRow>(tx, linesSql, [orderId])
  const standing = new Map<string, number>()
  for (const { fulfillmentId, quantity } of found.flatMap((l) => l.claims)) if (fulfillmentId !== null) standing.set(fulfillmentId, (standing.get(fulfillmentId) ?? 0) + quantity)
  const placesOf = (claim: Claim): Place[] => placed(claim, standing.get(claim.fulfillmentId ?? '') ?? 0)
  return found.map(({ open, sentAgain, sentAgainClaimed, shipped, claims, ...line }) => {
    const claimed = withoutSentAgain(claims.flatMap(placesOf), sentAgainClaimed)
    const places: Place[] = [{ state: 'open', quantity: open }, ...claimed, { state: 'sent_again', quantity: sentAgain }, { state: 'gone', quantity: shipped }]
    return { ...line, places: places.filter((p) => p.quantity > 0) }
  })
}

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
    (SELECT coalesce(json_agg(json_build_object('nodeId', a.node_id, 'fulfillmentId', a.fulfillment_id, 'status', f.status, 'inTransfer', a.in_transfer, 'quantity', a.quantity,
                                                'picked', coalesce(fl.picked, 0)) ORDER BY a.fulfillment_id DESC NULLS FIRST, a.node_id), '[]')
     FROM (SELECT node_id, fulfillment_id, status = 'in_transfer' AS in_transfer, sum(quantity)::int AS quantity FROM allocations
           WHERE order_id = l.order_id AND line_id = l.line_id AND status IN ('open', 'in_transfer') GROUP BY 1, 2, 3) a
       LEFT JOIN fulfillments f USING (fulfillment_id) LEFT JOIN fulfillment_lines fl ON fl.fulfillment_id = a.fulfillment_id AND fl.line_id = l.line_id) AS claims
  FROM order_lines l WHERE l.order_id = ? ORDER BY l.position`

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
