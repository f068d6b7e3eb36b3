/** A message about an order and the order itself at the same moment: whichever is written second finds the other. */
import { randomUUID } from 'node:crypto'
import { documentBecameOrder, keepUntilOrder } from '../../db/channel-messages'
import type { Transaction } from '../../db/connection'
import { receiveFact, type InboundFact } from '../../db/inbox'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { freshDatabase, type FreshDatabase } from '../support/database'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
  await database.db.raw(`INSERT INTO policy_snapshots (snapshot_id, document) VALUES ('kept', '{}')`)
})
afterAll(() => database.drop())

const source = 'shopify:web'

async function message(): Promise<InboundFact> {
  const fact = { source, eventId: randomUUID(), kind: 'shopify.orders/updated', subject: String(Date.now()) + String(Math.random()).slice(2, 8), payload: { channel: 'web' } }
  await receiveFact(database.db, fact)
  return fact
}

async function order(tx: Transaction, { subject }: InboundFact): Promise<void> {
  const orderId = randomUUID()
  await tx('orders').insert({
    order_id: orderId, channel: 'web', channel_order_id: subject, body_hash: Buffer.from(subject), currency: 'EUR', total_minor: 100, tax_included: true, shipping: '{}', priority: 0, claim: 'later',
    delivery: '{"method":"delivery"}', search: subject, policy_snapshot_id: 'kept', status: 'placed', payment_status: 'pending', fulfillment_status: 'none', placed_at: new Date(), accepted_at: new Date(),
  })
  const document = { source, eventId: randomUUID(), channel: 'web', channelOrderId: subject, topic: 'order', body: {} }
  await documentBecameOrder(tx, document, orderId, { actor: 'channel:web', action: 'order.create', subject: orderId, cause: 'test' })
}

const statusOf = async ({ eventId }: InboundFact): Promise<string | undefined> => (await database.db('inbound_events').where({ event_id: eventId }).first<{ status: string }>('status'))?.status

it('is looked at again when its order is written first and not there yet', async () => {
  const fact = await message()
  const tx = await database.db.transaction()
  await order(tx, fact)
  const keeping = keepUntilOrder(database.db, fact, 'no such order yet')
  await waiting()
  await tx.commit()
  await keeping
  expect(await statusOf(fact)).toBe('queued')
})

it('is looked at again when it is written first and its order comes before that is done', async () => {
  const fact = await message()
  await keepUntilOrder(database.db, fact, 'no such order yet')
  expect(await statusOf(fact)).toBe('kept')
  await database.db.transaction((tx) => order(tx, fact))
  expect(await statusOf(fact)).toBe('queued')
})

/** Until somebody waits for a lock of another. */
async function waiting(): Promise<void> {
  for (;;) {
    const { rows } = await database.db.raw<{ rows: { n: number }[] }>(`SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
    if (rows[0]!.n > 0) return
  }
}
