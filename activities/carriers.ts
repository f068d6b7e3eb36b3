/** What carriers do for an order: labels, manifests, labels given back. Operation rows come first; a label is bought once because the carrier knows it by our reference. */
import type { WaitingOn } from '../domain/order/status'
import { invariant } from '../domain/invariant'
import type { Db } from '../db/connection'
import { labelsToVoid, manifestJob, settleCarrierOperation } from '../db/carrier-operations'
import { labelJob, saveLabels, type BoughtLabel, type LabelJob, type PackageToLabel } from '../db/shipments'
import type { Carrier } from './ports'

export interface LabelAsk {
  fulfillmentId: string
  carrier: string
  then: WaitingOn
}
export interface LabelOutcome {
  carrier: string
  service: string
  trackingNumbers: string[]
}

export function createCarrierActivities(db: Db, carriers: readonly Carrier[]) {
  const carrierOf = (id: string): Carrier => {
    const found = carriers.find((c) => c.carrier === id)
    invariant(found, `carrier ${id} is connected`)
    return found
  }
  return {
    /** Buys the label of every package of a fulfillment; what was bought by an earlier attempt is found again by its reference. */
    buyLabels: async ({ fulfillmentId, carrier: id, then }: LabelAsk): Promise<LabelOutcome> => {
      const carrier = carrierOf(id)
      const job = await labelJob(db, fulfillmentId)
      const labels: BoughtLabel[] = []
      for (const box of job.packages) labels.push(await buyLabel(carrier, job, box))
      await db.transaction((tx) => saveLabels(tx, fulfillmentId, labels, then))
      return { carrier: id, service: job.service, trackingNumbers: labels.map((l) => l.trackingNumber) }
    },

    /** Tells the carrier which parcels it has been given. */
    manifest: async ({ operationId }: { operationId: string }): Promise<void> => {
      const job = await manifestJob(db, operationId)
      if (job.status === 'succeeded') return
      await carrierOf(job.carrier).manifest({ reference: operationId, trackingNumbers: job.trackingNumbers })
      await settleCarrierOperation(db, operationId, 'succeeded')
    },

    /** Gives back the labels of a fulfillment that will not travel, those included whose purchase had an unknown outcome. */
    voidLabels: async ({ fulfillmentId }: { fulfillmentId: string }): Promise<void> => {
      for (const label of await labelsToVoid(db, fulfillmentId)) {
        const carrier = carrierOf(label.carrier)
        const bought = await carrier.findLabel(label.operationId)
        if (bought) await carrier.voidLabel(bought.trackingNumber)
        await settleCarrierOperation(db, label.operationId, 'abandoned')
      }
    },
  }
}

async function buyLabel(carrier: Carrier, job: LabelJob, box: PackageToLabel): Promise<BoughtLabel> {
  const label = await carrier.buyLabel({
    reference: box.operationId,
    service: job.service,
    weightGrams: box.weightGrams,
    lengthMm: box.lengthMm ?? undefined,
    widthMm: box.widthMm ?? undefined,
    heightMm: box.heightMm ?? undefined,
    from: { ...job.nodeAddress, name: job.nodeName, country: job.nodeCountry },
    to: { country: job.nodeCountry, ...job.shipTo },
  })
  const { trackingNumber, ...rest } = label
  return { packageId: box.packageId, operationId: box.operationId, carrier: carrier.carrier, service: job.service, trackingNumber, label: rest }
}
