/** What a cancellation would move, with nothing done: read at once, refused as the cancellation would be. */
import { isGone } from '../../domain/fulfillment/moves'
import { cancelledMinor, insteadOfCancelling, leavesNothing, planCancellation, wantedUnits, type CancelledUnits, type LineInPlaces } from '../../domain/order/cancellation'
import { payersOf, worthMinor, type Priced, type Tender, type Units } from '../../domain/payment/shares'
import { refuse } from '../../domain/refusals'
import { linesInPlaces } from '../cancellable'
import { row, type Db } from '../connection'
import { fulfillmentsOf } from '../fulfillments'
import { takenAlreadySql } from '../taken-at-once'

export interface CancellationPreview {
  preview: true
  whole: boolean
  goods: CancelledUnits[]
  money: { currency: string; cancelledMinor: number; remainingMinor: number; letGoMinor: number; refundMinor: number; refundElsewhereMinor: number }
}

interface Facts extends Priced {
  stage: string
  currency: string
  tenders: (Tender & { atOnce: boolean })[]
}

/** @throws what the cancellation would be refused with; without `lines` it is about the whole order. */
export const previewCancellation = (db: Db, orderId: string, asked?: readonly Units[]): Promise<CancellationPreview> =>
  db.transaction(
    async (tx) => {
      const order = (await row<Facts>(tx, factsSql, [orderId]))!
      if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
      if (order.stage === 'completed') throw refuse('order.closed', { state: 'completed' })
      const lines = await linesInPlaces(tx, orderId)
      const kept = lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled }))
      const wanted = asked ? wantedUnits(lines, asked) : kept.filter((l) => l.quantity > 0)
      const gone = (await fulfillmentsOf(tx, orderId)).filter(isGone)
      if (!asked && gone.length) throw refuse('order.already_handed_over', { fulfillmentIds: gone.map((f) => f.fulfillmentId), instead: insteadOfCancelling(gone) })
      const whole = leavesNothing(lines, wanted) && gone.length === 0
      return { preview: true, whole, goods: whole ? everything(lines) : planCancellation(lines, wanted), money: moneyOf(order, kept, wanted) }
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  )

const everything = (lines: readonly LineInPlaces[]): CancelledUnits[] => lines.flatMap(({ lineId, sku, places }) => places.map((p) => ({ lineId, sku, ...p })))

/** What is cancelled would have been paid last. */
function moneyOf(order: Facts, kept: readonly Units[], wanted: readonly Units[]): CancellationPreview['money'] {
  const worth = cancelledMinor(order, kept, wanted)
  const remainingMinor = worthMinor(order, kept) - worth
  const payers = payersOf(order.tenders, remainingMinor, worth)
  const paidBy = (which: (tender: Facts['tenders'][number]) => boolean): number =>
    payers.filter((p) => order.tenders.some((t) => t.tenderId === p.tenderId && which(t))).reduce((sum, p) => sum + p.amountMinor, 0)
  const [refundMinor, refundElsewhereMinor] = [paidBy((t) => t.atOnce), paidBy((t) => t.takenElsewhere && !t.atOnce)]
  return { currency: order.currency, cancelledMinor: worth, remainingMinor, letGoMinor: worth - refundMinor - refundElsewhereMinor, refundMinor, refundElsewhereMinor }
}

const factsSql = `
  SELECT stage, currency, shipping, tax_included AS "taxIncluded",
    (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised)) FROM order_lines WHERE order_id = o.order_id) AS lines,
    (SELECT json_agg(json_build_object('tenderId', tender_id, 'amountMinor', coalesce(covers_minor, amount_minor), 'takenElsewhere', ${takenAlreadySql}, 'atOnce', taken_at_once) ORDER BY payment_id) FROM payments p WHERE order_id = o.order_id AND part = 1) AS tenders
  FROM orders o WHERE order_id = ?`
