/** Who the simulated carriers are: what each sells, where to, when it collects, and its price list. Their own view, kept apart from whatever their customers believe. */
export const carrierNames = ['swiftparcel', 'hansepost', 'kestrel'] as const
export type CarrierName = (typeof carrierNames)[number]

export interface Card {
  /** First letters of its tracking numbers. */
  prefix: string
  /** Cubic centimetres that count as a kilogram; 0 = size does not matter. */
  divisor: number
  maxGrams: number
  maxLengthMm: number
  maxLengthAndGirthMm: number
  /** Postcode rows, the first that fits: [zone, from, country, to]; `*` = any. */
  zones: readonly (readonly [zone: string, from: string, country: string, to: string])[]
  /** Ceilings of the weight steps in grams. */
  steps: readonly number[]
  /** Cents per step, by service and zone; a zone without a row is not served. */
  cents: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
  fuelPercent: number
  /** Services for which it also sells labels that customers send back with. */
  returns: readonly string[]
  bulky?: { overMm: number; cents: number }
  heavy?: { overGrams: number; cents: number }
  /** Postcodes of places that are far for a van. */
  remote?: { country: string; postcodes: string; cents: number }
  /** Week days (0 = Sunday) on which it collects, and until when what is handed over counts for that day; local time. */
  collects: { days: readonly number[]; until: string; timeZone: string }
}

const neighbours = (zone: string, countries: readonly string[]): readonly (readonly [string, string, string, string])[] => countries.map((country) => [zone, '*', country, '*'] as const)
const islands = '18565 25849 25859 25863 25869 25938 25946 25980 25992 25996 26465 26474 26486 26548 26571 26579 26757'

export const cards: Readonly<Record<CarrierName, Card>> = {
  swiftparcel: {
    prefix: 'SP',
    divisor: 5_000,
    maxGrams: 31_500,
    maxLengthMm: 1_200,
    maxLengthAndGirthMm: 3_000,
    zones: [['national', '*', 'DE', '*'], ...neighbours('europe', ['AT', 'BE', 'CZ', 'DK', 'FR', 'LU', 'NL', 'PL'])],
    steps: [1_000, 5_000, 10_000, 31_500],
    cents: {
      standard: { national: [389, 549, 849, 1_549], europe: [899, 1_149, 1_549, 2_749] },
      express: { national: [790, 990, 1_390, 2_290], europe: [1_990, 2_390, 2_990, 4_490] },
    },
    fuelPercent: 0,
    returns: ['standard'],
    bulky: { overMm: 1_000, cents: 590 },
    collects: { days: [1, 2, 3, 4, 5, 6], until: '22:00', timeZone: 'Europe/Berlin' },
  },
  hansepost: {
    prefix: 'HP',
    divisor: 0,
    maxGrams: 20_000,
    maxLengthMm: 1_000,
    maxLengthAndGirthMm: 2_400,
    zones: [['regional', '10 12 13 14 15 16', 'DE', '10 12 13 14 15 16'], ['national', '*', 'DE', '*'], ...neighbours('europe', ['AT', 'DK', 'NL', 'PL'])],
    steps: [500, 1_000, 2_000, 5_000, 10_000, 20_000],
    cents: {
      standard: { regional: [265, 295, 345, 405, 595, 995], national: [305, 345, 415, 495, 745, 1_245], europe: [795, 895, 1_095, 1_395, 1_895, 2_995] },
    },
    fuelPercent: 6.5,
    returns: ['standard'],
    remote: { country: 'DE', postcodes: islands, cents: 850 },
    collects: { days: [1, 2, 3, 4, 5], until: '17:00', timeZone: 'Europe/Berlin' },
  },
  kestrel: {
    prefix: 'KE',
    divisor: 4_000,
    maxGrams: 25_000,
    maxLengthMm: 1_500,
    maxLengthAndGirthMm: 3_300,
    zones: [['city', '10 12 13 14', 'DE', '10 12 13 14'], ['national', '*', 'DE', '*']],
    steps: [1_000, 3_000, 10_000, 25_000],
    cents: { express: { city: [590, 690, 990, 1_690], national: [670, 820, 1_190, 1_990] } },
    fuelPercent: 12.25,
    returns: [],
    heavy: { overGrams: 15_000, cents: 400 },
    remote: { country: 'DE', postcodes: islands, cents: 1_490 },
    collects: { days: [1, 2, 3, 4, 5, 6], until: '19:30', timeZone: 'Europe/Berlin' },
  },
}
