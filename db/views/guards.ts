/** What is held over the old goods of an exchange, as answers show it. */
import { iso } from './sql'

export interface GuardView {
  paymentId: string
  /** `asked`: the bank has not answered yet. */
  state: 'held' | 'charged' | 'let_go' | 'asked'
  /** Held over them. */
  amountMinor: number
  /** Taken for what did not come back. */
  chargedMinor: number
  /** Until when the bank holds it; it is held anew before, while the goods are still to come. */
  heldUntil: string | null
}

const operationOf = (kinds: string): string => `(SELECT 1 FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind IN (${kinds}) AND op.status <> 'abandoned')`

/** Of the return `r`, the one that counts: what was taken, else what is held. */
export const guardJson = `(SELECT json_build_object('paymentId', p.payment_id, 'state', g.state, 'amountMinor', p.amount_minor, 'heldUntil', ${iso('p.authorization_expires_at')},
    'chargedMinor', (SELECT coalesce(sum(amount_minor), 0) FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind = 'capture' AND op.status <> 'abandoned'))
  FROM exchange_payments x JOIN payments p USING (payment_id),
    LATERAL (SELECT CASE WHEN EXISTS ${operationOf(`'capture'`)} THEN 'charged' WHEN p.status = 'voided' OR EXISTS ${operationOf(`'void'`)} THEN 'let_go' WHEN p.status = 'authorized' THEN 'held' ELSE 'asked' END AS state) g
  WHERE x.return_id = r.return_id AND x.role = 'guard' AND p.status <> 'declined' ORDER BY array_position(ARRAY['charged', 'held', 'asked', 'let_go'], g.state), p.payment_id DESC LIMIT 1)`

/** Is some of what others were sent for under the return `r` neither here nor given up? It can be counted, whatever has become of the return. */
export const isOwedSql = `(r.method <> 'none' AND EXISTS (SELECT 1 FROM exchanges e JOIN return_lines b ON b.return_id = e.return_id AND b.line_id = e.instead_of JOIN order_lines s ON s.order_id = e.order_id AND s.line_id = e.line_id
  WHERE e.return_id = r.return_id AND least(b.quantity, s.quantity) - b.received - (b.unreplaced - b.repaid) > 0))`
