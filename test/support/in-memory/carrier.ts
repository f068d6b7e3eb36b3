/** A carrier with books of its own, in this process: the services and prices of a real contract, labels by reference. */
import { randomUUID } from 'node:crypto'
import { ProviderFault, type Carrier, type Label } from '../../../activities/ports'
import { contracts } from '../../../adapters/carriers/contracts'
import { parcelCarrier } from '../../../adapters/carriers/parcel-carrier'
import { isDone, type CallFault } from './chance'

/** @param fault what becomes of the next call */
export function carrierStandIn(fault: () => CallFault): Carrier {
  const contract = parcelCarrier({ contract: contracts.swiftparcel, baseUrl: 'http://nobody', webhookSecret: 'none', timeoutMs: 1 })
  const labels = new Map<string, Label & { voided?: true }>()
  const once = (effect: () => void): Promise<void> => {
    const drawn = fault()
    if (drawn !== 'none' && !isDone(drawn)) return Promise.reject(new ProviderFault('no answer', drawn === 'not done' ? 'none' : 'unknown'))
    effect()
    return drawn === 'none' ? Promise.resolve() : Promise.reject(new ProviderFault('no answer', 'unknown'))
  }
  const active = (reference: string): Label | undefined => {
    const label = labels.get(reference)
    return label?.voided ? undefined : label
  }
  return {
    ...contract,
    buyLabel: async ({ reference, service }) => {
      await once(() => void (labels.has(reference) || labels.set(reference, { trackingNumber: `SP${randomUUID()}`, reference, service, priceMinor: 389, currency: 'EUR', labelText: reference })))
      return labels.get(reference)!
    },
    findLabel: (reference) => Promise.resolve(active(reference)),
    voidLabel: (trackingNumber) => once(() => [...labels.values()].filter((l) => l.trackingNumber === trackingNumber).forEach((l) => (l.voided = true))),
    manifest: () => once(() => undefined),
    track: () => Promise.resolve([]),
    claim: async ({ reference }) => {
      await once(() => undefined)
      return { claimReference: `claim ${reference}` }
    },
  }
}
