/** What must always hold of drafts: each is at most one order, paid once, and keeps stock only while somebody may still want it. */
import { query, type Invariant } from './world'

const live = `('intended', 'open', 'ending', 'paid')`

export const drafts: readonly Invariant[] = [
  query('D1', 'a draft that was placed is an order of its channel, and says so on its timeline', 'always',
    `SELECT d.draft_id FROM drafts d LEFT JOIN orders o USING (order_id) WHERE d.state = 'placed' AND (o.order_id IS NULL OR o.channel <> d.channel
       OR NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = d.order_id AND e.type = 'draft.placed' AND e.data->>'draftId' = d.draft_id::text))`),
  query('D2', 'what was paid at a link is the payment of the order that its draft became', 'always',
    `SELECT link_id FROM draft_links l JOIN drafts d USING (draft_id) WHERE l.status = 'placed' AND (d.order_id IS DISTINCT FROM l.order_id
       OR NOT EXISTS (SELECT 1 FROM payments p WHERE p.payment_id = l.payment_id AND p.order_id = l.order_id AND p.reference = l.payment_reference AND p.amount_minor >= l.amount_minor))`),
  query('D3', 'nobody can pay at a link of a draft that does not wait for it', 'always', `SELECT link_id FROM draft_links l JOIN drafts d USING (draft_id) WHERE l.status IN ${live} AND d.state <> 'awaiting_payment'`),
  query('D4', 'a draft that has ended keeps no stock', 'always', `SELECT draft_id FROM drafts d JOIN reservations r ON r.quote_id::text = d.quote->>'quoteId' WHERE d.state IN ('placed', 'discarded') AND r.status = 'open'`),
  query('D5', 'a draft that waits for money knows until when', 'always', `SELECT draft_id FROM drafts WHERE state = 'awaiting_payment' AND pay_by IS NULL`),
]
