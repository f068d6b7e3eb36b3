/** A carrier with books of its own, in this process: the services and prices of a real contract, labels by reference. */
import { randomUUID } from 'node:crypto'
import type { Carrier, Label } from '../../../activities/ports'
import { contracts } from '../../../adapters/carriers/contracts'
import { parcelCarrier } from '../../../adapters/carriers/parcel-carrier'

export function carrierStandIn(): Carrier {
  const contract = parcelCarrier({ contract: contracts.swiftparcel, baseUrl: 'http://nobody', webhookSecret: 'none', timeoutMs: 1 })
  const labels = new Map<string, Label & { voided?: true }>()
  const active = (reference: string): Label | undefined => {
    const label = labels.get(reference)
    return label?.voided ? undefined : label
  }
  return {
    ...contract,
    buyLabel: ({ reference, service }) => {
      if (!labels.has(reference)) labels.set(reference, { trackingNumber: `SP${randomUUID()}`, reference, service, priceMinor: 389, currency: 'EUR', labelText: reference })
      return Promise.resolve(labels.get(reference)!)
    },
    findLabel: (reference) => Promise.resolve(active(reference)),
    voidLabel: (trackingNumber) => {
      for (const label of labels.values()) if (label.trackingNumber === trackingNumber) label.voided = true
      return Promise.resolve()
    },
    manifest: () => Promise.resolve(),
    track: () => Promise.resolve([]),
    claim: ({ reference }) => Promise.resolve({ claimReference: `claim ${reference}` }),
  }
}
