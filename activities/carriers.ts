/** What carriers do for an order: labels, manifests, labels given back. Operation rows come first; a label is bought once because the carrier knows it by our reference. */
import type { WaitingOn } from '../domain/order/status'
import { invariant } from '../domain/invariant'
import type { Db } from '../db/connection'
import { claimJob, labelsToVoid, manifestJob, saveClaim, settleCarrierOperation } from '../db/carrier-operations'
import { createLabelPurchase, type LabelOutcome } from './label-purchase'
import type { Carrier } from './ports'
import { createReturnLabels } from './return-labels'

export interface LabelAsk {
  fulfillmentId: string
  then: WaitingOn
}

export function createCarrierActivities(db: Db, carriers: readonly Carrier[]) {
  const carrierOf = (id: string): Carrier => {
    const found = carriers.find((c) => c.carrier === id)
    invariant(found, `carrier ${id} is connected`)
    return found
  }
  const buy = createLabelPurchase(db, carriers)
  return {
    ...createReturnLabels(db, carriers),

    /** Chooses the carrier service and buys the label of every package of a fulfillment; what was bought by an earlier attempt is found again by its reference. */
    buyLabels: (ask: LabelAsk): Promise<LabelOutcome> => buy(ask.fulfillmentId, ask.then),

    /** Tells the carrier which parcels it has been given. */
    manifest: async ({ operationId }: { operationId: string }): Promise<void> => {
      const job = await manifestJob(db, operationId)
      if (job.status === 'succeeded') return
      await carrierOf(job.carrier).manifest({ reference: operationId, trackingNumbers: job.trackingNumbers })
      await settleCarrierOperation(db, operationId, 'succeeded')
    },

    /** Asks the carrier for compensation for a parcel it has lost or damaged; it knows the claim by our reference. */
    claimParcel: async ({ operationId }: { operationId: string }): Promise<void> => {
      const job = await claimJob(db, operationId)
      if (job.status === 'succeeded') return
      const { trackingNumber, reason, amountMinor, currency } = job
      const { claimReference } = await carrierOf(job.carrier).claim({ reference: operationId, trackingNumber, reason, amountMinor, currency })
      await db.transaction((tx) => saveClaim(tx, operationId, claimReference, job))
    },

    /** Gives back the labels of a fulfillment that will not travel, those included whose purchase had an unknown outcome; `stray`: only those it does not travel by. */
    voidLabels: async ({ fulfillmentId, stray = false }: { fulfillmentId: string; stray?: boolean }): Promise<void> => {
      for (const label of await labelsToVoid(db, fulfillmentId, stray)) {
        const carrier = carrierOf(label.carrier)
        const bought = await carrier.findLabel(label.operationId)
        if (bought) await carrier.voidLabel(bought.trackingNumber)
        await settleCarrierOperation(db, label.operationId, 'abandoned')
      }
    },
  }
}
