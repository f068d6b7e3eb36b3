/** A payment is cancelled in the very moment in which it is opened at the provider: whoever of the two comes first, nothing stays held. */
import { createPaymentActivities } from '../../activities/payments'
import type { PaymentProvider } from '../../activities/ports'
import type { Db } from '../../db/connection'
import { cancelOrder } from '../../db/steps/cancel-order'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { place } from '../api/orders-in-store'
import { freshDatabase, type FreshDatabase } from '../support/database'
import { providerStandIn, type ProviderStandIn } from '../support/in-memory/provider'

let database: FreshDatabase
let provider: ProviderStandIn
beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
})
beforeEach(() => {
  provider = providerStandIn({ fault: () => 'none', announce: () => Promise.resolve() })
})
afterAll(() => database.drop())

type Money = ReturnType<typeof createPaymentActivities>
const moneyOf = (db: Db, asked: PaymentProvider = provider): Money => createPaymentActivities(db, () => asked)

/** An order that was cancelled before its money was held. */
async function cancelled(): Promise<{ authorize: { operationId: string }; voided: { operationId: string }; left: () => Promise<object[]> }> {
  const { db } = database
  const orderId = await place(db)
  const { voids } = await db.transaction((tx) => cancelOrder(tx, { orderId, commandId: 'c1', actor: 'support', reason: 'changed her mind' }))
  const authorize = (await db<{ operation_id: string; order_id: string; kind: string }>('payment_operations').where({ order_id: orderId, kind: 'authorize' }).first())!
  const left = (): Promise<object[]> => db('payment_operations').where({ order_id: orderId }).orderBy('kind').select('kind', 'status')
  return { authorize: { operationId: authorize.operation_id }, voided: { operationId: voids[0]! }, left }
}

/** What else happens before the first transaction is begun. */
function after(db: Db, happens: () => Promise<unknown>): Db {
  let once: Promise<unknown> | undefined
  const transaction = async <Result>(work: (tx: never) => Promise<Result>): Promise<Result> => (await (once ??= happens()), db.transaction((tx) => work(tx as never)))
  return new Proxy(db, { get: (target, name) => (name === 'transaction' ? transaction : (Reflect.get(target, name, target) as unknown)) })
}

it('the bank is not asked for what was given up while it was being opened', async () => {
  const { authorize, voided, left } = await cancelled()
  const slow: PaymentProvider = {
    ...provider,
    open: async (ask) => {
      const opened = await provider.open(ask)
      expect(await moneyOf(database.db).voidPayment(voided)).toMatchObject({ status: 'voided' })
      return opened
    },
  }
  expect(await moneyOf(database.db, slow).authorizePayment(authorize)).toMatchObject({ status: 'voided' })
  expect(provider.books()).toMatchObject([{ status: 'opened', authorizedMinor: 0 }])
  expect(await left()).toEqual([{ kind: 'authorize', status: 'abandoned' }, { kind: 'void', status: 'succeeded' }])
})

it('what was opened while it was to be given up is let go of there', async () => {
  const { authorize, voided, left } = await cancelled()
  const late = after(database.db, () => moneyOf(database.db).authorizePayment(authorize))
  await expect(moneyOf(late).voidPayment(voided)).rejects.toMatchObject({ effect: 'none' })
  expect(await moneyOf(late).voidPayment(voided)).toMatchObject({ status: 'voided' })
  expect(provider.books()).toMatchObject([{ status: 'voided', capturedMinor: 0 }])
  expect(await left()).toEqual([{ kind: 'authorize', status: 'succeeded' }, { kind: 'void', status: 'succeeded' }])
})
