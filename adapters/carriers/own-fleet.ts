/** The retailer's own drivers as a carrier: the same port, with nobody outside to ask. Labels are made of their reference; what happens on the road is reported by runs, not by events. */
import { ownDriver, ownFleet, ownTrackingNumber } from '../../domain/delivery/own-fleet'
import { refuse } from '../../domain/refusals'
import type { BuyLabel, Carrier, Label } from '../../activities/ports'

/** What a drop costs the shop, whatever its weight. An assumption, in minor units of the first currency. */
const dropMinor = 550

/** How far drivers go is the node's and the policy's to say; no country keeps them out. */
const countries = ['DE', 'AT', 'CH', 'FR', 'NL', 'BE', 'LU', 'DK', 'PL', 'CZ']

/** Who is ready by then is brought the same day. */
const lastWave = '17:00'
const everyDay = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const

export function ownFleetCarrier({ currency = 'EUR' }: { currency?: string } = {}): Carrier {
  const labelOf = (reference: string, service: string): Label => {
    const trackingNumber = ownTrackingNumber(reference)
    return { trackingNumber, reference, service, priceMinor: dropMinor, currency, labelText: trackingNumber }
  }
  return {
    carrier: ownFleet,
    services: () => [
      {
        service: ownDriver, name: 'Own driver', transitDays: 0, countries, collects: { on: everyDay, until: lastWave },
        deliversOn: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'], hours: { opens: '08:00', closes: '21:00' },
      },
    ],
    rate: ({ parcels }) => Promise.resolve([{ service: ownDriver, priceMinor: dropMinor * parcels.length, currency }]),
    buyLabel: ({ reference, service }: BuyLabel) => Promise.resolve(labelOf(reference, service)),
    findLabel: (reference) => Promise.resolve(labelOf(reference, ownDriver)),
    voidLabel: () => Promise.resolve(),
    manifest: () => Promise.resolve(),
    track: () => Promise.resolve([]),
    claim: ({ reference }) => Promise.resolve({ claimReference: reference }),
    readEvent: () => {
      throw refuse('carrier.not_found')
    },
  }
}
