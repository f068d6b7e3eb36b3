/** The numbered versions of an order: what was wanted, for how much and where to, each as it was. Written in the transaction of the change. */
import { worthMinor, type Priced } from '../domain/payment/shares'
import { row, run, type Transaction } from './connection'

interface Wanted extends Priced {
  lines: (Priced['lines'][number] & { sku: string; cancelled: number })[]
  shipTo: object | null
  delivery: object
  versions: number
}

/** The order as it was placed, unless that is kept already. To be called before anything but quantities changes. */
export async function keepFirstVersion(tx: Transaction, orderId: string): Promise<void> {
  const wanted = await wantedNow(tx, orderId)
  if (wanted.versions === 0) await insert(tx, orderId, { number: 1, actor: 'throughline', cause: 'placed', document: documentOf(wanted, () => 0) })
}

/** The order as it is now, after a change. @returns its number */
export async function keepVersion(tx: Transaction, orderId: string, { actor, cause }: { actor: string; cause: string }): Promise<number> {
  await keepFirstVersion(tx, orderId)
  const wanted = await wantedNow(tx, orderId)
  const number = wanted.versions + 1
  await insert(tx, orderId, { number, actor, cause, document: documentOf(wanted, (l) => l.cancelled) })
  return number
}

const wantedNow = async (tx: Transaction, orderId: string): Promise<Wanted> => (await row<Wanted>(tx, wantedSql, [orderId]))!

const wantedSql = `
  SELECT shipping, tax_included AS "taxIncluded", ship_to AS "shipTo", delivery, (SELECT count(*)::int FROM order_versions v WHERE v.order_id = o.order_id) AS versions,
    (SELECT json_agg(json_build_object('lineId', line_id, 'sku', sku, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised,
                                       'cancelled', cancelled) ORDER BY position) FROM order_lines WHERE order_id = o.order_id) AS lines
  FROM orders o WHERE order_id = ?`

function documentOf(wanted: Wanted, cancelled: (line: Wanted['lines'][number]) => number): object {
  const kept = wanted.lines.map((l) => ({ lineId: l.lineId, sku: l.sku, quantity: l.quantity - cancelled(l) })).filter((l) => l.quantity > 0)
  return { lines: kept, shipping: wanted.shipping, shipTo: wanted.shipTo, delivery: wanted.delivery, totalMinor: worthMinor(wanted, kept) }
}

async function insert(tx: Transaction, orderId: string, { number, actor, cause, document }: { number: number; actor: string; cause: string; document: object }): Promise<void> {
  await run(tx, 'INSERT INTO order_versions (order_id, number, actor, cause, document) VALUES (?, ?, ?, ?, ?::jsonb)', [orderId, number, actor, cause, JSON.stringify(document)])
}
