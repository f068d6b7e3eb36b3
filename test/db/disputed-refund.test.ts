/** A refund and the end of a dispute at the same moment: what is to be given back is never taken for done. */
import { randomUUID } from 'node:crypto'
import type { Client, QueryConfig } from 'pg'
import { beginCall } from '../../db/payment-operations'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { freshDatabase, type FreshDatabase } from '../support/database'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
})
afterAll(() => database.drop())

/** A payment that was captured and is disputed, and a refund of it that waits. */
async function disputed(): Promise<{ operationId: string; paymentId: string }> {
  const [orderId, paymentId, operationId] = [randomUUID(), randomUUID(), randomUUID()]
  const { db } = database
  await db.raw(`INSERT INTO policy_snapshots (snapshot_id, document) VALUES ('refund', '{}') ON CONFLICT DO NOTHING`)
  await db('orders').insert({
    order_id: orderId, channel: 'web', channel_order_id: orderId, body_hash: Buffer.from('00', 'hex'), currency: 'EUR', total_minor: 1_000, tax_included: true, shipping: { priceMinor: 0 }, priority: 5, claim: 'later',
    delivery: { method: 'delivery' }, search: orderId, policy_snapshot_id: 'refund', status: 'delivered', payment_status: 'captured', fulfillment_status: 'fulfilled', placed_at: new Date(),
  })
  await db('payments').insert({ payment_id: paymentId, order_id: orderId, tender_id: 't1', provider: 'stripe', amount_minor: 1_000, currency: 'EUR', status: 'captured', reference: `pi_${paymentId}`, authorized_minor: 1_000, captured_minor: 1_000 })
  await db('payment_operations').insert({ operation_id: operationId, payment_id: paymentId, order_id: orderId, kind: 'refund', purpose: 'refund:test', amount_minor: 500 })
  await db('disputes').insert({ dispute_id: `du_${paymentId}`, payment_id: paymentId, amount_minor: 1_000, reason: 'fraudulent', status: 'open' })
  return { operationId, paymentId }
}

it('is refused while the dispute is open', async () => {
  const { operationId } = await disputed()
  await expect(beginCall(database.db, operationId, false)).rejects.toMatchObject({ code: 'payment.disputed' })
})

it('begins when the dispute ends between two looks at it', async () => {
  const { operationId, paymentId } = await disputed()
  let looks = 0
  const { client } = database.db as unknown as { client: { acquireConnection(): Promise<Client>; releaseConnection(connection: Client): Promise<void> } }
  const looking = {
    acquireConnection: async () => {
      const connection = await client.acquireConnection()
      const query = async (asked: QueryConfig): Promise<unknown> => {
        const found = await connection.query(asked)
        if ((looks += 1) === 1) await database.db('disputes').where({ payment_id: paymentId }).update({ status: 'won', closed_at: new Date() })
        return found
      }
      return { query, connection }
    },
    releaseConnection: ({ connection }: { connection: Client }) => client.releaseConnection(connection),
  }
  const slow = new Proxy(database.db, { get: (db, name, self) => (name === 'client' ? looking : Reflect.get(db, name, self) as unknown) })
  expect(await beginCall(slow, operationId, false)).toEqual({ keyNumber: 1, amountMinor: 500 })
  expect(await database.db('payment_operations').where({ operation_id: operationId }).first('status', 'attempts')).toEqual({ status: 'unknown', attempts: 1 })
})
