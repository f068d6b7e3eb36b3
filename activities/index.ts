/** All side effects, assembled from what they need; their types are all that workflows know of them. */
import type { Db } from '../db/connection'
import { createCarrierActivities } from './carriers'
import { createCollectionSteps } from './collection-steps'
import { translateFailures } from './failures'
import { createFleetActivities, type OrderTeller } from './fleet'
import { withHeartbeats } from './heartbeats'
import { createHoldSteps } from './hold-steps'
import { createLabActivities } from './lab'
import { createOrderSteps } from './order-steps'
import { createPaymentActivities } from './payments'
import type { Carrier, Distances, PaymentProvider } from './ports'
import { createReturnSteps } from './return-steps'
import { isStoredValue } from '../domain/payment/stored-value'
import { storedValueProvider } from './stored-value'
import { createMovingSteps } from './moving-steps'
import { createPromiseDesk } from './promise-desk'

export interface ActivityDeps {
  db: Db
  /** For threads that read by themselves. */
  databaseUrl: string
  payments: PaymentProvider
  carriers: readonly Carrier[]
  distances: Distances
  /** How an order's workflow is told. */
  orders: OrderTeller
}

/** Of a step before it is said that the database does not take it. */
const triesOfSteps = 3

/** One table per party: our own database, our long computations, the payment provider, the carriers. The first two share a task queue. */
export function createActivities({ db, databaseUrl, payments, carriers, distances, orders }: ActivityDeps) {
  const ourOwn = storedValueProvider(db)
  const desk = createPromiseDesk({ db, carriers, log: { warn: () => undefined } })
  return {
    orders: translateFailures({ ...createOrderSteps(db, carriers, desk), ...createCollectionSteps(db), ...createReturnSteps(db), ...createHoldSteps(db), ...createMovingSteps(db, desk) }, triesOfSteps),
    fleet: withHeartbeats(translateFailures(createFleetActivities({ db, orders, distances }))),
    lab: translateFailures(createLabActivities(db, databaseUrl, carriers)),
    payments: withHeartbeats(translateFailures(createPaymentActivities(db, (name) => (isStoredValue(name) ? ourOwn : payments)))),
    carriers: withHeartbeats(translateFailures(createCarrierActivities(db, carriers))),
  }
}

type Activities = ReturnType<typeof createActivities>
export type OrderSteps = Activities['orders']
export type FleetActivities = Activities['fleet']
export type LabActivities = Activities['lab']
export type PaymentActivities = Activities['payments']
export type CarrierActivities = Activities['carriers']
