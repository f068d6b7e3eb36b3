/** Gift cards and store credit as a payment provider like any other, except that it is our own database: what it says is committed, and known at once. */
import type { Db } from '../db/connection'
import { giveValueBack, holdOf, holdValue, letGoOfValue, openHold, takeValue, wasGivenBack, type ValueHold } from '../db/stored-value'
import { ProviderFault, type PaymentProvider, type ProviderView } from './ports'

export const storedValueProvider = (db: Db): PaymentProvider => ({
  async open({ paymentId, amountMinor, currency }) {
    await db.transaction((tx) => openHold(tx, { reference: paymentId, amountMinor, currency }))
    return { reference: paymentId }
  },
  authorize: async ({ reference, paymentMethod }) => viewOf(await db.transaction((tx) => holdValue(tx, { reference, accountId: paymentMethod }))),
  capture: async ({ reference, operationId, amountMinor, final }) => viewOf(await db.transaction((tx) => takeValue(tx, { reference, operationId, amountMinor, final }))),
  void: async ({ reference }) => viewOf(await db.transaction((tx) => letGoOfValue(tx, reference))),
  async refund({ reference, operationId, amountMinor }) {
    await db.transaction((tx) => giveValueBack(tx, { reference, operationId, amountMinor }))
    return { refundReference: operationId }
  },
  findRefund: async ({ operationId }) => ((await wasGivenBack(db, operationId)) ? { refundReference: operationId } : undefined),
  async lookUp(reference) {
    const hold = await holdOf(db, reference)
    if (!hold) throw new ProviderFault(`no hold for payment ${reference}`, 'none')
    return viewOf(hold)
  },
})

const viewOf = ({ reference, status, authorizedMinor, capturedMinor, refundedMinor, declineCode, captures }: ValueHold): ProviderView => ({
  reference, status, authorizedMinor, capturedMinor, refundedMinor, captures, multicapture: true, ...(declineCode !== null && { declineCode }),
})
