/** What a shop on Shopify does when it is told that an order, or units of one, will not be sent: it cancels in the background, and gives money back under the caller's key once. */
import type { Books, LineItem } from './server'

export interface ShopRefund {
  id: string
  order: string
  note: string
  key: string
  lines: { lineItemId: string; quantity: number; restockType: string }[]
  amount: string
}
export interface CancelJob {
  id: string
  order: string
  done: boolean
}
export interface NewRefund {
  orderId: string
  note: string
  refundLineItems: ShopRefund['lines']
  transactions: { kind: string; amount: string; parentId: string }[]
}

/** Not sent yet. */
export const openOf = ({ fulfillments }: Books, order: string, line: LineItem): number =>
  line.quantity - fulfillments.filter((f) => f.order === order).flatMap((f) => f.lines).filter((l) => l.lineItem === line.admin_graphql_api_id).reduce((sum, l) => sum + l.quantity, 0)

export const refundableOf = ({ refunds }: Books, order: string, line: LineItem): number =>
  line.quantity - refunds.filter((r) => r.order === order).flatMap((r) => r.lines).filter((l) => l.lineItemId === line.admin_graphql_api_id).reduce((sum, l) => sum + l.quantity, 0)

/** Neither sent nor given back. */
export const unitsOf = (shop: Books, order: string, line: LineItem): number => Math.min(openOf(shop, order, line), refundableOf(shop, order, line))

export function cancelOrder(shop: Books, order: string): object {
  const known = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === order)
  const sent = shop.fulfillments.some((f) => f.order === order)
  if (!known || sent || known.cancelled_at) return { job: null, orderCancelUserErrors: [{ message: 'Cannot cancel an order that is cancelled or fulfilled.' }] }
  const job = { id: `gid://shopify/Job/${shop.jobs.length + 1}`, order, done: false }
  shop.jobs.push(job)
  return { job, orderCancelUserErrors: [] }
}

export function finishJobs(shop: Books): void {
  for (const job of shop.jobs.filter((j) => !j.done)) {
    job.done = true
    const order = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === job.order)
    if (order) Object.assign(order, { cancelled_at: new Date().toISOString(), updated_at: new Date().toISOString() })
  }
}

export function suggestedRefund(shop: Books, order: string, lines: NewRefund['refundLineItems']): object {
  const items = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === order)?.line_items ?? []
  const cents = lines.reduce((sum, { lineItemId, quantity }) => sum + quantity * Math.round(100 * Number(items.find((i) => i.admin_graphql_api_id === lineItemId)?.price ?? 0)), 0)
  return { suggestedTransactions: [{ gateway: 'shopify_payments', amountSet: { shopMoney: { amount: (cents / 100).toFixed(2) } }, parentTransaction: { id: 'gid://shopify/OrderTransaction/1' } }] }
}

export function createRefund(shop: Books, { orderId, note, refundLineItems, transactions }: NewRefund, key: string): object {
  const first = shop.refunds.find((r) => r.key === key)
  if (first) return { refund: { id: first.id }, userErrors: [] }
  const items = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === orderId)?.line_items ?? []
  const fits = refundLineItems.every(({ lineItemId, quantity }) => {
    const item = items.find((i) => i.admin_graphql_api_id === lineItemId)
    return item !== undefined && quantity <= refundableOf(shop, orderId, item)
  })
  if (!fits) return { refund: null, userErrors: [{ message: 'Quantity cannot refund more items than were purchased' }] }
  const refund = { id: `gid://shopify/Refund/${9_000 + shop.refunds.length}`, order: orderId, note, key, lines: refundLineItems, amount: transactions[0]!.amount }
  shop.refunds.push(refund)
  return { refund: { id: refund.id }, userErrors: [] }
}
