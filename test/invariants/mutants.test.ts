/** A checker that has never failed is no checker: each invariant is broken on purpose, in a transaction that is rolled back, and must be named. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { createWebhookSender } from '../../adapters/webhooks/sender'
import { releaseReservation, reserve } from '../../db/reservations'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startWebhooks } from '../../relay/webhooks'
import { readDraft, writeDraft } from '../support/drafts'
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver'
import { checkInvariants, invariants } from './checker'
import type { World } from './world'

let system: System
let ids: { delivered: string; cancelled: string; live: string; told: string }
let receiver: WebhookReceiver

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 2 }] }
beforeAll(async () => {
  system = await startSystem()
  const people = peopleOf(system)
  const [delivered, cancelled, live] = [await people.place(socks), await people.place(socks), await people.place(socks)]
  const { fulfillments } = await people.until(delivered, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await people.until(delivered, (o) => o.paymentStatus === 'captured')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(delivered, (o) => !o.workflowOpen)
  await people.support('POST', `/v1/orders/${cancelled}/cancel`, { reason: 'changed her mind' })
  await people.until(cancelled, (o) => !o.workflowOpen)
  await people.until(live, (o) => o.fulfillments.length === 1)
  await sentBack(people, delivered)
  await heldAndGivenBack()
  await promised(people)
  await paidOut()
  await giftGiven(people)
  await drafted(people)
  ids = { delivered, cancelled, live, told: await told(people) }
})
afterAll(async () => {
  await receiver?.close()
  await system?.stop()
})

/** One of two came back, and its money was given back. */
async function sentBack(people: People, orderId: string): Promise<void> {
  const { body } = await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too small' }], method: 'store' })
  await people.store('store-mitte')('POST', `/v1/returns/${body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => o.money.refundedMinor > 0 && !o.workflowOpen, 'the refund')
}

/** An order that was paid with a gift card. */
async function giftGiven(people: People): Promise<void> {
  const { body } = await people.support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor: 5_000, paidElsewhere: true, reason: 'sold at the till' })
  const orderId = await people.place({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }], tenders: [{ provider: 'gift_card', paymentMethod: body.code }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await people.until(orderId, (o) => o.paymentStatus === 'captured')
}

/** A draft that was paid at a link, and one that was thrown away with what was kept for it. */
async function drafted({ support, until }: People): Promise<void> {
  const validUntil = new Date(Date.now() + 3_600_000).toISOString()
  const [paid, gone] = [await writeDraft(support, { sku: 'SOCKS-3P' }), await writeDraft(support, { sku: 'SOCKS-3P' })]
  await support('POST', `/v1/drafts/${gone.draftId}/quote`, { validUntil, hold: true })
  await support('POST', `/v1/drafts/${gone.draftId}/discard`, { reason: 'too dear' })
  await support('POST', `/v1/drafts/${paid.draftId}/payment-link`, { expiresAt: validUntil, returnTo: 'https://shop.example/thanks' })
  const { paymentLink } = await eventually(() => readDraft(support, paid.draftId), (d) => d.paymentLink?.status === 'open')
  await fetch(paymentLink!.url!, { method: 'POST' })
  const { orderId } = await eventually(() => readDraft(support, paid.draftId), (d) => d.state === 'placed')
  await until(orderId!, (o) => o.fulfillments.length === 1)
}

/** What was taken is paid out, in a file with one line too many. */
async function paidOut(): Promise<void> {
  const csv = await (await fetch(`${system.payments.url}/control/settlement.csv`)).text()
  const headers = { authorization: 'Bearer demo-finance', 'content-type': 'text/csv', 'idempotency-key': 'mutants' }
  const sent = await fetch(`${system.url}/v1/settlements`, { method: 'POST', headers, body: `${csv}not,a,line\n` })
  expect(await sent.json()).toMatchObject({ matched: 2, breaks: [{ reason: 'unreadable' }] })
}

/** An order of which somebody hears, at the second attempt. Nothing is told afterwards: the tables are for the mutants alone. */
async function told(people: People): Promise<string> {
  receiver = await startWebhookReceiver()
  receiver.answer = () => (receiver.heard.length === 1 ? 503 : 200)
  await people.operations('POST', '/v1/webhook-endpoints', { url: receiver.url })
  const sender = createWebhookSender({ allowed: [parseNetwork('127.0.0.0/8')!], timeoutMs: 1_000 })
  const relay = startWebhooks({ db: system.db, send: sender.send, log: pino({ enabled: false }), timeoutMs: 1_000, idleMs: 50 })
  const orderId = await people.place(socks)
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await eventually(async () => receiver.heard.length, (n) => n > 0, { what: 'the first webhook' })
  await system.db.raw(`UPDATE webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending'`)
  await eventually(() => system.db('webhook_deliveries').where({ status: 'pending' }), (waiting) => waiting.length === 0, { what: 'all webhooks' })
  await expectInvariants(system, { heard: () => receiver.heard })
  await relay.stop()
  sender.close()
  return orderId
}

/** A quote whose stock was held, and let go again. */
async function heldAndGivenBack(): Promise<void> {
  const { db } = system
  const hold = { quoteId: randomUUID(), channel: 'web', lines: [{ sku: 'SOCKS-3P', nodeId: 'dc-01', quantity: 1 }], expiresAt: new Date(Date.now() + 60_000).toISOString(), actor: 'test' }
  const { reservationId } = await reserve(db, hold)
  await db.transaction((tx) => releaseReservation(tx, reservationId, 'test'))
}

/** An order that was accepted for what is still to come. */
async function promised(people: People): Promise<void> {
  await people.operations('PUT', '/v1/skus/SOON-1', { name: 'Soon', weightGrams: 100, backorder: true })
  const expectedAt = new Date(Date.now() + 3_600_000).toISOString()
  await people.operations('POST', '/v1/inventory/supply', { sku: 'SOON-1', nodeId: 'dc-01', quantity: 3, expectedAt, reference: 'PO-MUTANT' })
  const orderId = await people.place({ lines: [{ sku: 'SOON-1', quantity: 2 }] })
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock')
}

/** What breaks each invariant; `:delivered`, `:cancelled`, `:live` and `:told` are orders. */
const mutants: Record<string, string | ((world: World) => World)> = {
  M1: 'UPDATE payments SET refunded_minor = captured_minor + 1 WHERE order_id = :delivered',
  'M1-tender': 'UPDATE payments SET captured_minor = amount_minor + 1, authorized_minor = amount_minor + 1 WHERE order_id = :delivered',
  M2: `INSERT INTO payment_operations SELECT gen_random_uuid(), payment_id, order_id, kind, purpose, amount_minor, status FROM payment_operations WHERE order_id = :delivered AND kind = 'capture'`,
  'M2-books': 'UPDATE payments SET captured_minor = captured_minor - 1 WHERE order_id = :delivered',
  M3: `UPDATE payment_operations SET status = 'intended' WHERE order_id = :delivered AND kind = 'capture'`,
  'M3-unknown': `UPDATE payment_operations SET status = 'unknown' WHERE order_id = :cancelled AND kind = 'void'`,
  M5: 'UPDATE order_lines SET unit_price_minor = unit_price_minor + 1 WHERE order_id = :live',
  'M5-cover': `UPDATE payments SET amount_minor = amount_minor - 1 WHERE order_id = :live AND part = 1`,
  'M5-parts': `UPDATE payment_operations SET amount_minor = amount_minor - 1 WHERE order_id = :delivered AND kind = 'capture'`,
  M4: `UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE order_id = :delivered AND account = 'revenue'`,
  'M4-money': `DELETE FROM ledger_entries WHERE order_id = :delivered AND kind = 'capture'`,
  'M4-sales': `UPDATE ledger_entries SET amount_minor = amount_minor + CASE account WHEN 'shipping' THEN 1 ELSE -1 END WHERE order_id = :delivered AND account IN ('shipping', 'receivable') AND kind = 'sale'`,
  'M4-counted': `INSERT INTO counted_goodwill (order_id, purpose, amount_minor, parts) VALUES (:delivered, 'mutant', 5, '{"feeMinor": 0}')`,
  'M4-by-bank': `INSERT INTO counted_goodwill (order_id, purpose, amount_minor, parts, given_by) VALUES (:delivered, 'mutant', 5, '{"goodwill": {"minor": 5}}', 'bank')`,
  'M4-disputes': `INSERT INTO disputes (dispute_id, payment_id, amount_minor, reason, status) SELECT 'du_mutant', payment_id, 5, 'mutant', 'open' FROM payments WHERE order_id = :delivered`,
  'M4-owed': `INSERT INTO ledger_entries (journal_id, account, kind, order_id, amount_minor, currency, cause) SELECT 'mutant', a, 'refund_failed', :delivered, m, 'EUR', 'mutant' FROM (VALUES ('refunds_owed', -5), ('bank', 5)) v(a, m)`,
  'M4-told': `INSERT INTO returned_refunds (refund_reference, order_id, payment_id, amount_minor, currency) SELECT 're_mutant', order_id, payment_id, 5, 'EUR' FROM payments WHERE order_id = :delivered`,
  'M7-corrections': `INSERT INTO ledger_entries (journal_id, account, kind, order_id, amount_minor, currency, cause) SELECT 'correction:mutant', a, 'correction', :delivered, m, 'EUR', 'mutant' FROM (VALUES ('bank', 5), ('fees', -5)) v(a, m)`,
  'M6-held': `UPDATE payments SET status = 'authorized' WHERE order_id = :cancelled`,
  'M6-ledger': `INSERT INTO ledger_entries (journal_id, account, kind, order_id, amount_minor, currency, cause) SELECT 'mutant', a, 'refund', :delivered, m, 'EUR', 'mutant' FROM (VALUES ('receivable', 5), ('refund', -5)) v(a, m)`,
  M7: `UPDATE settlement_lines SET gross_minor = gross_minor + 1 WHERE outcome = 'matched'`,
  'M7-reverse': `UPDATE payment_operations SET paid_out = NOT paid_out WHERE order_id = :delivered AND kind = 'capture'`,
  'M7-ledger': `DELETE FROM ledger_entries WHERE order_id = :delivered AND kind = 'settlement'`,
  X1: `INSERT INTO exchanges (order_id, line_id, return_id, instead_of, less_minor, less_given) SELECT order_id, '1', return_id, '1', 100, 2 FROM returns WHERE order_id = :delivered`,
  X2: `WITH p AS (UPDATE payments SET part = 0, status = 'authorized' WHERE order_id = :delivered RETURNING payment_id, order_id) INSERT INTO exchange_payments SELECT payment_id, order_id, gen_random_uuid(), 'difference' FROM p`,
  X3: `INSERT INTO exchanges (order_id, line_id, return_id, instead_of, charged) SELECT order_id, '1', return_id, '1', 1 FROM returns WHERE order_id = :delivered`,
  V1: 'UPDATE value_accounts SET balance_minor = balance_minor + 1',
  V2: `UPDATE value_holds SET captured_minor = captured_minor - 1, refunded_minor = 0 WHERE captured_minor > 0`,
  V3: `UPDATE payments SET captured_minor = captured_minor - 1 WHERE provider = 'gift_card' AND captured_minor > 0`,
  V4: `DELETE FROM ledger_entries WHERE kind = 'issue'`,
  'M7-cases': `DELETE FROM exceptions WHERE kind = 'settlement.unreadable'`,
  M6: 'UPDATE payments SET captured_minor = 1 WHERE order_id = :cancelled',
  M8: `UPDATE payments SET status = 'voided' WHERE order_id = :delivered`,
  S1: `UPDATE stock_levels SET unsellable = -1 WHERE sku = 'SOCKS-3P'`,
  S2: `UPDATE stock_levels SET allocated = allocated + 1 WHERE sku = 'SOCKS-3P'`,
  'S2-reserved': `UPDATE stock_levels SET reserved = reserved + 1 WHERE sku = 'SOCKS-3P'`,
  'S5-reserved': `UPDATE reservations SET status = 'open', ended_at = NULL WHERE status = 'released'`,
  S3: `UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = 'SOCKS-3P'`,
  S4: `DELETE FROM stock_movements WHERE type = 'ship'`,
  S5: `UPDATE allocations SET ended_at = NULL WHERE order_id = :cancelled`,
  S7: 'UPDATE order_lines SET returned = returned - 1 WHERE order_id = :delivered',
  'S7-counts': 'UPDATE return_lines SET quantity = 2, disputed = 1 WHERE order_id = :delivered',
  'S7-given': 'UPDATE return_lines SET came_later = 1 WHERE order_id = :delivered',
  'S7-moved': `UPDATE stock_movements SET node_id = 'dc-01' WHERE type = 'return'`,
  S9: 'UPDATE order_lines SET allocated = allocated - 1 WHERE order_id = :live',
  S10: `UPDATE supply SET quantity = promised - 1 WHERE reference = 'PO-MUTANT'`,
  'S10-claims': `UPDATE supply SET promised = promised + 1 WHERE reference = 'PO-MUTANT'`,
  'S10-ended': `UPDATE orders SET stage = 'cancelled' WHERE order_id = (SELECT order_id FROM supply_claims WHERE reference = 'PO-MUTANT')`,
  S11: `UPDATE allocations SET status = 'in_transfer' WHERE order_id = :live`,
  O8: `WITH w AS (INSERT INTO waves (wave_id, node_id, opened_by) VALUES (gen_random_uuid(), 'dc-01', 'test') RETURNING wave_id)
       INSERT INTO wave_fulfillments (wave_id, fulfillment_id, position) SELECT w.wave_id, fulfillment_id, 1 FROM w, fulfillments WHERE order_id = :live`,
  O9: `UPDATE packages SET lines = '[]' WHERE fulfillment_id IN (SELECT fulfillment_id FROM fulfillments WHERE order_id = :delivered)`,
  O10: `UPDATE orders SET blocked = '{picking}' WHERE order_id = :live`,
  'O10-closed': `INSERT INTO holds (hold_id, order_id, type, reason, blocks, owner, placed_by, placed_at, at_deadline, asked_by) VALUES (gen_random_uuid(), :cancelled, 'x', 'x', '{refund}', 'support', 'test', now(), 'escalate', 'test')`,
  O1: (world) => ({ ...world, acknowledged: ['00000000-0000-7000-8000-000000000000'] }),
  'O1-started': 'UPDATE workflow_starts SET done_at = NULL WHERE order_id = :live',
  O2: `UPDATE orders SET channel_order_id = 'same'`,
  O3: 'UPDATE orders SET waiting_on = NULL WHERE order_id = :live',
  'O3-agrees': `UPDATE orders SET waiting_on = jsonb_set(waiting_on, '{what}', '"stock"') WHERE order_id = :live`,
  O4: `UPDATE fulfillments SET status = 'in_transit' WHERE order_id = :live`,
  'O4-final': `INSERT INTO order_events (order_id, channel, type, actor) VALUES (:delivered, 'web', 'order.cancelled', 'test')`,
  O5: `UPDATE fulfillments SET status = 'packed' WHERE order_id = :live`,
  O6: 'UPDATE orders SET workflow_open = false WHERE order_id = :live',
  O7: 'UPDATE order_lines SET shipped = quantity, cancelled = 1 WHERE order_id = :delivered',
  'O7-closed': 'UPDATE order_lines SET cancelled = 0 WHERE order_id = :cancelled',
  D1: `DELETE FROM order_events WHERE type = 'draft.placed'`,
  D2: `UPDATE draft_links SET payment_reference = 'pi_other' WHERE status = 'placed'`,
  D3: `UPDATE draft_links SET status = 'open' WHERE status = 'placed'`,
  D4: `UPDATE reservations SET status = 'open', ended_at = NULL WHERE quote_id IN (SELECT (quote->>'quoteId')::uuid FROM drafts WHERE state = 'discarded')`,
  D5: `UPDATE drafts SET state = 'awaiting_payment' WHERE state = 'discarded'`,
  'A1-commands': `DELETE FROM audit WHERE action = 'fulfillment.pack'`,
  A1: `DELETE FROM audit WHERE action = 'order.cancel'`,
  'N1-inbox': `INSERT INTO inbound_events (source, event_id, kind, subject, payload) VALUES ('carrier:swiftparcel', 'lost', 'carrier', 'SP1', '{}')`,
  N1: `DELETE FROM webhook_deliveries WHERE seq = (SELECT max(seq) FROM webhook_deliveries WHERE order_id = :told)`,
  'N1-behind': `UPDATE webhook_endpoints SET cursor_xid = '0', cursor_seq = 0`,
  'N1-settled': `UPDATE webhook_deliveries SET attempts = '[{"status": 503}]' WHERE order_id = :told`,
  'N1-case': `UPDATE webhook_deliveries SET status = 'dead', reason = 'answered 500' WHERE order_id = :told`,
  'N1-given-up': `UPDATE webhook_deliveries SET status = 'pending', failures = 9, next_attempt_at = give_up_at + interval '1 day' WHERE order_id = :told`,
  'N1-heard': (world) => ({ ...world, heard: () => world.heard!().map((h) => ({ ...h, answered: 503 })) }),
  'N1-messages': `INSERT INTO customer_messages (message_id, order_id, seq, kind, status, settled_at) SELECT gen_random_uuid(), order_id, seq, 'confirmation', 'failed', now() FROM order_events WHERE order_id = :told LIMIT 1`,
  N2: `UPDATE webhook_deliveries SET webhook_id = webhook_id || '_2' WHERE order_id = :told`,
  'N2-heard': (world) => ({ ...world, heard: () => world.heard!().map((h, i) => (i === 0 ? { ...h, id: `${h.id}_2` } : h)) }),
  'N2-messages': `INSERT INTO customer_messages (message_id, order_id, seq, kind) SELECT gen_random_uuid(), :told, 1, 'confirmation' FROM generate_series(1, 2)`,
  N4: `DELETE FROM order_events WHERE order_id = :cancelled AND type = 'order.cancelled'`,
}

it('finds nothing wrong with a healthy database', async () => {
  await expectInvariants(system)
})

it('has a mutant for every invariant', () => {
  expect(Object.keys(mutants).sort()).toEqual(invariants.map((i) => i.id).sort())
})

it.each(Object.keys(mutants))('notices when %s is broken', async (id) => {
  const { db, client, payments } = system
  const broken = (): Promise<void> => db.transaction(async (tx) => {
    await tx.raw('SET LOCAL session_replication_role = replica')
    await dropGuards(tx)
    const mutant = mutants[id]!
    const world: World = { db: tx, client, paymentsUrl: payments.url, heard: () => receiver.heard }
    if (typeof mutant === 'string') await tx.raw(mutant, ids)
    const found = await checkInvariants(typeof mutant === 'string' ? world : mutant(world), true)
    expect(found.map((v) => v.id)).toContain(id)
    await tx.rollback()
  })
  await onceMoreAfterDeadlock(broken).catch((cause: unknown) => {
    if (!(cause instanceof Error) || !cause.message.includes('Transaction rejected with non-error')) throw cause
  })
})

/** The system goes on working while its tables are locked one after the other. */
const onceMoreAfterDeadlock = (work: () => Promise<void>): Promise<void> =>
  work().catch((cause: { code?: string }) => {
    if (cause.code !== '40P01') throw cause
    return onceMoreAfterDeadlock(work)
  })

/** The database would not let most of this happen: its own guards are taken away for the length of the transaction. */
async function dropGuards(tx: typeof system.db): Promise<void> {
  const { rows } = await tx.raw<{ rows: { statement: string }[] }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) AS statement FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u')`,
  )
  for (const { statement } of rows) await tx.raw(statement)
}
