/** The contracts with the parcel carriers: who sells what, when it collects and delivers, and what it costs by which price list, net of tax. Data only. */
import type { CarrierService } from '../../activities/ports'
import type { RateCard, Zone } from '../../domain/delivery/rate-card'

export interface Contract {
  carrier: string
  services: readonly (CarrierService & { card: RateCard })[]
}

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const
const exceptSunday = [...weekdays, 'saturday'] as const
const anywhereIn = (zone: string, countries: readonly string[]): Zone[] => countries.map((country) => ({ zone, country }))
const steps = (upTo: readonly number[], prices: readonly number[]) => upTo.map((upToGrams, i) => ({ upToGrams, priceMinor: prices[i]! }))

/** German islands that are far for a van, by postcode. */
const islands = ['18565', '25849', '25859', '25863', '25869', '25938', '25946', '25980', '25992', '25996', '26465', '26474', '26486', '26548', '26571', '26579', '26757']

const swiftparcel: Contract = (() => {
  const abroad = ['AT', 'BE', 'CZ', 'DK', 'FR', 'LU', 'NL', 'PL']
  const grams = [1_000, 5_000, 10_000, 31_500]
  const doors = { countries: ['DE', ...abroad], deliversOn: exceptSunday, hours: { opens: '08:00', closes: '20:00' }, collects: { on: exceptSunday, until: '22:00' } }
  const card = (national: readonly number[], europe: readonly number[]): RateCard => ({
    currency: 'EUR',
    zones: [...anywhereIn('national', ['DE']), ...anywhereIn('europe', abroad)],
    volumeMm3PerGram: 5_000,
    rates: { national: steps(grams, national), europe: steps(grams, europe) },
    limits: { grams: 31_500, lengthMm: 1_200, lengthAndGirthMm: 3_000 },
    surcharges: [{ code: 'bulky', amountMinor: 590, when: { kind: 'longer_than', lengthMm: 1_000 } }],
  })
  return {
    carrier: 'swiftparcel',
    services: [
      { service: 'standard', name: 'Swiftparcel Standard', transitDays: 2, ...doors, returns: true, card: card([389, 549, 849, 1_549], [899, 1_149, 1_549, 2_749]) },
      { service: 'express', name: 'Swiftparcel Express', transitDays: 1, ...doors, card: card([790, 990, 1_390, 2_290], [1_990, 2_390, 2_990, 4_490]) },
    ],
  }
})()

const hansepost: Contract = (() => {
  const abroad = ['AT', 'DK', 'NL', 'PL']
  const region = ['10', '12', '13', '14', '15', '16']
  const grams = [500, 1_000, 2_000, 5_000, 10_000, 20_000]
  const card: RateCard = {
    currency: 'EUR',
    zones: [{ zone: 'regional', from: region, country: 'DE', to: region }, ...anywhereIn('national', ['DE']), ...anywhereIn('europe', abroad)],
    rates: {
      regional: steps(grams, [265, 295, 345, 405, 595, 995]),
      national: steps(grams, [305, 345, 415, 495, 745, 1_245]),
      europe: steps(grams, [795, 895, 1_095, 1_395, 1_895, 2_995]),
    },
    limits: { grams: 20_000, lengthMm: 1_000, lengthAndGirthMm: 2_400 },
    surcharges: [
      { code: 'fuel', basisPoints: 650 },
      { code: 'remote', amountMinor: 850, when: { kind: 'remote', country: 'DE', to: islands } },
    ],
  }
  const doors = { countries: ['DE', ...abroad], deliversOn: exceptSunday, hours: { opens: '09:00', closes: '18:00' }, collects: { on: weekdays, until: '17:00' } }
  return { carrier: 'hansepost', services: [{ service: 'standard', name: 'Hansepost Paket', transitDays: 3, ...doors, returns: true, card }] }
})()

const kestrel: Contract = (() => {
  const city = ['10', '12', '13', '14']
  const grams = [1_000, 3_000, 10_000, 25_000]
  const card: RateCard = {
    currency: 'EUR',
    zones: [{ zone: 'city', from: city, country: 'DE', to: city }, ...anywhereIn('national', ['DE'])],
    volumeMm3PerGram: 4_000,
    rates: { city: steps(grams, [590, 690, 990, 1_690]), national: steps(grams, [670, 820, 1_190, 1_990]) },
    limits: { grams: 25_000, lengthMm: 1_500, lengthAndGirthMm: 3_300 },
    surcharges: [
      { code: 'fuel', basisPoints: 1_225 },
      { code: 'heavy', amountMinor: 400, when: { kind: 'heavier_than', grams: 15_000 } },
      { code: 'remote', amountMinor: 1_490, when: { kind: 'remote', country: 'DE', to: islands } },
    ],
  }
  const doors = { countries: ['DE'], deliversOn: weekdays, hours: { opens: '08:00', closes: '18:00' }, collects: { on: exceptSunday, until: '19:30' } }
  return { carrier: 'kestrel', services: [{ service: 'express', name: 'Kestrel Overnight', transitDays: 1, ...doors, card }] }
})()

export const contracts = { swiftparcel, hansepost, kestrel } as const
