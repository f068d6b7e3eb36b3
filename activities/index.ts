/** All side effects, assembled from what they need; their types are all that workflows know of them. */
import type { Db } from '../db/connection'
import { createCarrierActivities } from './carriers'
import { translateFailures } from './failures'
import { withHeartbeats } from './heartbeats'
import { createOrderSteps } from './order-steps'
import { createPaymentActivities } from './payments'
import type { Carrier, PaymentProvider } from './ports'

export interface ActivityDeps {
  db: Db
  payments: PaymentProvider
  carriers: readonly Carrier[]
}

/** One table per task queue: our own database, the payment provider, the carriers. */
export function createActivities({ db, payments, carriers }: ActivityDeps) {
  return {
    orders: translateFailures(createOrderSteps(db, carriers)),
    payments: withHeartbeats(translateFailures(createPaymentActivities(db, payments))),
    carriers: withHeartbeats(translateFailures(createCarrierActivities(db, carriers))),
  }
}

type Activities = ReturnType<typeof createActivities>
export type OrderSteps = Activities['orders']
export type PaymentActivities = Activities['payments']
export type CarrierActivities = Activities['carriers']
