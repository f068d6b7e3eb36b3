/** What must always hold of stock. */
import { query, type Invariant } from './world'

export const stock: readonly Invariant[] = [
  query('S1', 'no quantity is below zero', 'always', `SELECT sku, node_id FROM stock_levels WHERE on_hand < 0 OR unsellable < 0 OR reserved < 0 OR allocated < 0`),
  query('S2', 'allocated is the sum of open allocations', 'always',
    `SELECT l.sku, l.node_id FROM stock_levels l WHERE allocated <> (SELECT coalesce(sum(quantity), 0) FROM allocations a WHERE a.sku = l.sku AND a.node_id = l.node_id AND status = 'open')`),
  query('S2-reserved', 'reserved is the sum of open reservations', 'always',
    `SELECT l.sku, l.node_id FROM stock_levels l WHERE reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservation_lines r JOIN reservations USING (reservation_id)
       WHERE r.sku = l.sku AND r.node_id = l.node_id AND status = 'open')`),
  query('S3', 'levels are the replay of their movements', 'always',
    `SELECT l.sku, l.node_id FROM stock_levels l LEFT JOIN (SELECT sku, node_id, sum(on_hand_delta) h, sum(unsellable_delta) u, sum(reserved_delta) r, sum(allocated_delta) a FROM stock_movements GROUP BY 1, 2) m USING (sku, node_id)
     WHERE (on_hand, unsellable, reserved, allocated) IS DISTINCT FROM (coalesce(h, 0), coalesce(u, 0), coalesce(r, 0), coalesce(a, 0))`),
  query('S4', 'what left the shelves and did not come back is what orders shipped', 'always',
    `SELECT sku FROM (SELECT sku, -sum(on_hand_delta) AS n FROM stock_movements WHERE type IN ('ship', 'undelivered') GROUP BY 1) m FULL JOIN (SELECT sku, sum(shipped) AS n FROM order_lines WHERE shipped > 0 GROUP BY 1) s USING (sku) WHERE coalesce(m.n, 0) <> coalesce(s.n, 0)`),
  query('S5', 'a claim ends once, and then has an end', 'always', `SELECT allocation_id FROM allocations WHERE (status IN ('open', 'in_transfer')) <> (ended_at IS NULL)`),
  query('S5-reserved', 'a hold is given back exactly once', 'always',
    `SELECT node_id FROM (SELECT sku, node_id, sum(reserved_delta) AS n FROM stock_movements WHERE type IN ('reserve', 'release') GROUP BY 1, 2) m
     JOIN (SELECT sku, node_id, sum(quantity) FILTER (WHERE status = 'open') AS n FROM reservation_lines JOIN reservations USING (reservation_id) GROUP BY 1, 2) r USING (sku, node_id)
     WHERE m.n <> coalesce(r.n, 0)`),
  query('S9', 'a line’s allocated units are its open allocations, on a shelf or between two nodes', 'always',
    `SELECT l.order_id, l.line_id FROM order_lines l WHERE allocated <> (SELECT coalesce(sum(quantity), 0) FROM allocations a WHERE a.order_id = l.order_id AND a.line_id = l.line_id AND status IN ('open', 'in_transfer'))`),
  query('S11', 'what is between two nodes belongs to a transfer that is under way, and is claimed by its order at most once', 'always',
    `SELECT a.allocation_id::text FROM allocations a JOIN fulfillments f USING (fulfillment_id) WHERE a.status = 'in_transfer' AND (f.method <> 'transfer' OR f.status NOT IN ('handed_over', 'in_transit'))
     UNION ALL SELECT sku FROM (SELECT sku, -sum(on_hand_delta) AS n FROM stock_movements WHERE type = 'transfer' GROUP BY 1) m
       LEFT JOIN (SELECT l.sku, sum(l.picked - l.received) AS n FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE f.method = 'transfer' AND f.handed_over_at IS NOT NULL GROUP BY 1) t USING (sku)
       WHERE m.n <> coalesce(t.n, 0)`),
  query('S7', 'what came back is what was counted in, line by line, and no more than had left', 'always',
    `SELECT order_id, line_id FROM order_lines l WHERE returned > delivered OR credited > quantity - cancelled OR returned <> (SELECT coalesce(sum(received), 0) FROM return_lines r WHERE r.order_id = l.order_id AND r.line_id = l.line_id)`),
  query('S7-counts', 'a line of a return has received what its counts say, and something else for as many of the rest as came', 'always',
    `SELECT r.return_id::text FROM return_lines r, LATERAL (SELECT coalesce(sum(quantity) FILTER (WHERE disposition <> 'none'), 0) AS good, coalesce(sum(quantity) FILTER (WHERE disposition = 'none'), 0) AS bad
       FROM return_receipts c WHERE c.return_id = r.return_id AND c.line_id = r.line_id) counted WHERE (received, disputed) IS DISTINCT FROM (good, least(bad, r.quantity - good))`),
  query('S7-moved', 'what came back is on the books of the node that counted it', 'always',
    `SELECT sku, node_id FROM (SELECT sku, node_id, sum(on_hand_delta) AS n FROM stock_movements WHERE type = 'return' GROUP BY 1, 2) m
     FULL JOIN (SELECT l.sku, c.node_id, sum(c.quantity) AS n FROM return_receipts c JOIN return_lines r USING (return_id, line_id) JOIN order_lines l USING (order_id, line_id) WHERE c.disposition <> 'none' GROUP BY 1, 2) t USING (sku, node_id)
     WHERE coalesce(m.n, 0) <> coalesce(t.n, 0)`),
  query('S7-given', 'what came back for nothing is what an earlier return had paid for and ended without, and what returns gave money for is credited', 'always',
    `SELECT l.order_id, l.line_id FROM order_lines l JOIN LATERAL (SELECT sum(given) AS given, sum(covered_back) AS here, sum(came_later) AS later FROM return_lines r WHERE r.order_id = l.order_id AND r.line_id = l.line_id) r
       ON here <> later OR (given > credited AND l.replaces IS NULL)`),
  query('S10', 'never more is promised of what is to come than is announced, or than may be pre-ordered', 'always',
    `SELECT sku, reference FROM supply WHERE promised > quantity UNION ALL SELECT sku, 'pre-order' FROM skus WHERE preorder_promised > preorder_cap`),
  query('S10-claims', 'what is promised is the sum of open claims on it', 'always',
    `SELECT s.sku, s.reference FROM supply s WHERE promised <> (SELECT coalesce(sum(quantity), 0) FROM supply_claims c WHERE status = 'open' AND c.sku = s.sku AND c.node_id = s.node_id AND c.reference = s.reference)
     UNION ALL SELECT s.sku, 'pre-order' FROM skus s WHERE preorder_promised <> (SELECT coalesce(sum(quantity), 0) FROM supply_claims c WHERE status = 'open' AND c.sku = s.sku AND c.reference IS NULL)`),
  query('S10-ended', 'an order that is cancelled or has all its stock is promised nothing any more', 'always',
    `SELECT c.order_id FROM supply_claims c JOIN orders o USING (order_id) WHERE c.status = 'open'
       AND (o.stage <> 'open' OR NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = c.order_id AND quantity > cancelled + shipped + allocated))`),
]
