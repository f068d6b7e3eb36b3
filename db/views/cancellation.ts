/** What a cancellation would move, with nothing done: the cancellation itself is rehearsed, so it is refused as it would be, and gives back what it would. */
import { cancelledMinor, wantedUnits, type CancelledUnits, type LineInPlaces } from '../../domain/order/cancellation'
import { payersOf, worthMinor, type Priced, type PricedLine, type Tender, type Units } from '../../domain/payment/shares'
import { linesInPlaces } from '../cancellable'
import { row, type Db } from '../connection'
import { self } from '../events'
import { givingBack, rehearse, type GivenBack } from '../rehearsal'
import { giveBackWanted, lockOpenOrder } from '../steps/cancel-lines'
import { cancelOrder } from '../steps/cancel-order'
import { coversSql, paidUnitsSql, payingSequence, takenAlreadySql } from '../taken-at-once'

export interface CancellationPreview {
  preview: true
  whole: boolean
  goods: CancelledUnits[]
  money: {
    currency: string
    cancelledMinor: number
    remainingMinor: number
    letGoMinor: number
    refundMinor: number
    refundElsewhereMinor: number
    countedMinor: number
    owedMinor: number
  }
}

interface Facts extends Priced {
  currency: string
  lines: (PricedLine & { paid: number })[]
  tenders: (Tender & { atOnce: boolean; leftMinor: number })[]
}

/** @throws what the cancellation would be refused with; without `lines` it is about the whole order. */
export const previewCancellation = (db: Db, orderId: string, asked?: readonly Units[]): Promise<CancellationPreview> =>
  rehearse(db, async (tx) => {
    const order = await lockOpenOrder(tx, orderId)
    const facts = (await row<Facts>(tx, factsSql, [orderId]))!
    const lines = await linesInPlaces(tx, orderId)
    const kept = lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled }))
    const wanted = asked ? wantedUnits(lines, asked) : kept.filter((l) => l.quantity > 0)
    const ask = { reason: 'preview', actor: self, commandId: '' }
    const { answer: goods, ...given } = await givingBack(tx, orderId, async () => {
      if (asked) return giveBackWanted(tx, order, { lines, wanted }, ask)
      await cancelOrder(tx, { ...ask, orderId })
      return undefined
    })
    return { preview: true, whole: !goods, goods: goods ?? everything(lines), money: moneyOf(facts, { kept, paid: facts.lines.map((l) => ({ lineId: l.lineId, quantity: l.paid })), wanted, given }) }
  })

const everything = (lines: readonly LineInPlaces[]): CancelledUnits[] => lines.flatMap(({ lineId, sku, places }) => places.map((p) => ({ lineId, sku, ...p })))

/** What is cancelled would have been paid last. What the channel has taken it gives back by itself, as far as it has it. */
function moneyOf(order: Facts, { kept, paid, wanted, given }: { kept: readonly Units[]; paid: readonly Units[]; wanted: readonly Units[]; given: GivenBack }): CancellationPreview['money'] {
  const worth = cancelledMinor(order, paid, wanted)
  const payers = payersOf(order.tenders, worthMinor(order, paid) - worth, worth)
  const paidBy = (which: (tender: Facts['tenders'][number]) => boolean): { minor: number; leftMinor: number } =>
    order.tenders.filter(which).reduce(
      (sum, { tenderId, leftMinor }) => {
        const minor = payers.filter((p) => p.tenderId === tenderId).reduce((paid, p) => paid + p.amountMinor, 0)
        return { minor: sum.minor + minor, leftMinor: sum.leftMinor + Math.min(minor, leftMinor) }
      },
      { minor: 0, leftMinor: 0 },
    )
  const [atOnce, elsewhere] = [paidBy((t) => t.atOnce), paidBy((t) => t.takenElsewhere && !t.atOnce)]
  return {
    currency: order.currency,
    cancelledMinor: worth,
    remainingMinor: worthMinor(order, kept) - cancelledMinor(order, kept, wanted),
    letGoMinor: worth - atOnce.minor - elsewhere.minor,
    refundMinor: given.refundMinor,
    refundElsewhereMinor: elsewhere.leftMinor + given.elsewhereMinor,
    countedMinor: given.countedMinor,
    owedMinor: given.owedMinor,
  }
}

const factsSql = `
  SELECT currency, shipping, tax_included AS "taxIncluded",
    (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised, 'paid', ${paidUnitsSql})) FROM order_lines l WHERE order_id = o.order_id) AS lines,
    (SELECT coalesce(json_agg(json_build_object('tenderId', tender_id, 'amountMinor', ${coversSql}, 'takenElsewhere', ${takenAlreadySql}, 'atOnce', taken_at_once, 'leftMinor', greatest(0, captured_minor - refunded_minor)) ORDER BY ${payingSequence('p')}), '[]')
       FROM payments p WHERE order_id = o.order_id AND part = 1) AS tenders
  FROM orders o WHERE order_id = ?`
