/** The shop that `npm start` opens with: one warehouse and three stores of a sportswear retailer in Berlin, its channels, drivers and API keys. Data only; invented, but for the places. */
import type { NewApiKey } from '../db/api-keys'

export interface DemoNode {
  nodeId: string
  name: string
  type: 'warehouse' | 'store'
  latitude: number
  longitude: number
  address: { line1: string; postalCode: string; city: string; country: string }
  calendar: Record<string, { opens: string; closes: string }>
  cutoffs: Record<string, string>
  capacity: { ordersPerHour: number }
  methods: readonly string[]
}
export interface DemoChannel {
  channelId: string
  name: string
  kind: 'web' | 'marketplace' | 'till'
  claim: 'required' | 'later'
  shopifySecret?: string
}
export interface DemoCarton {
  cartonId: string
  name: string
  innerMm: readonly [number, number, number]
  maxWeightGrams: number
  tareGrams: number
  costMinor: number
}
export interface DemoDriver {
  driverId: string
  name: string
  homeNodes: readonly string[]
  shift: { from: string; to: string }
  vehicle: { kind: string; maxParcels: number; maxWeightGrams: number }
}

export const timeZone = 'Europe/Berlin'
export const currency = 'EUR'
export const country = 'DE'

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const
const open = (opens: string, closes: string, days: readonly string[]): DemoNode['calendar'] => Object.fromEntries(days.map((day) => [day, { opens, closes }]))
const shopHours = open('10:00', '20:00', [...weekdays, 'saturday'])

export const nodes: readonly DemoNode[] = [
  {
    nodeId: 'dc-01',
    name: 'Warehouse Großbeeren',
    type: 'warehouse',
    latitude: 52.3561,
    longitude: 13.3093,
    address: { line1: 'Märkische Allee 1', postalCode: '14979', city: 'Großbeeren', country },
    calendar: open('06:00', '22:00', [...weekdays, 'saturday']),
    cutoffs: { standard: '18:00', express: '20:00' },
    capacity: { ordersPerHour: 120 },
    methods: ['delivery'],
  },
  {
    nodeId: 'store-mitte',
    name: 'Store Mitte',
    type: 'store',
    latitude: 52.5251,
    longitude: 13.4023,
    address: { line1: 'Rosenthaler Straße 40', postalCode: '10178', city: 'Berlin', country },
    calendar: shopHours,
    cutoffs: { standard: '15:00', express: '16:00' },
    capacity: { ordersPerHour: 12 },
    methods: ['delivery', 'pickup', 'ship_to_store', 'carry_out'],
  },
  {
    nodeId: 'store-kreuzberg',
    name: 'Store Kreuzberg',
    type: 'store',
    latitude: 52.4986,
    longitude: 13.418,
    address: { line1: 'Oranienstraße 25', postalCode: '10999', city: 'Berlin', country },
    calendar: shopHours,
    cutoffs: { standard: '15:00', express: '16:00' },
    capacity: { ordersPerHour: 10 },
    methods: ['delivery', 'pickup', 'ship_to_store', 'carry_out'],
  },
  {
    nodeId: 'store-charlottenburg',
    name: 'Store Charlottenburg',
    type: 'store',
    latitude: 52.5044,
    longitude: 13.3209,
    address: { line1: 'Kantstraße 17', postalCode: '10623', city: 'Berlin', country },
    calendar: shopHours,
    cutoffs: { standard: '15:00', express: '16:00' },
    capacity: { ordersPerHour: 10 },
    methods: ['delivery', 'pickup', 'ship_to_store', 'carry_out'],
  },
]

export const channels: readonly DemoChannel[] = [
  { channelId: 'web', name: 'Web shop', kind: 'web', claim: 'required', shopifySecret: 'demo-shopify-secret' },
  { channelId: 'marketplace', name: 'Marketplace', kind: 'marketplace', claim: 'later' },
  { channelId: 'pos', name: 'Store tills', kind: 'till', claim: 'required' },
]

export const drivers: readonly DemoDriver[] = [
  {
    driverId: 'driver-mark',
    name: 'Driver Mark',
    homeNodes: ['store-mitte', 'dc-01'],
    shift: { from: '10:00', to: '18:00' },
    vehicle: { kind: 'van', maxParcels: 60, maxWeightGrams: 400_000 },
  },
  {
    driverId: 'driver-ada',
    name: 'Driver Ada',
    homeNodes: ['store-kreuzberg'],
    shift: { from: '12:00', to: '20:00' },
    vehicle: { kind: 'cargo bike', maxParcels: 20, maxWeightGrams: 80_000 },
  },
]

/** What the demo shop packs into, with inner measures. */
export const cartons: readonly DemoCarton[] = [
  { cartonId: 'mailer', name: 'Mailer', innerMm: [320, 240, 50], maxWeightGrams: 2_000, tareGrams: 60, costMinor: 18 },
  { cartonId: 'carton-s', name: 'Carton S', innerMm: [350, 250, 150], maxWeightGrams: 10_000, tareGrams: 180, costMinor: 42 },
  { cartonId: 'carton-m', name: 'Carton M', innerMm: [450, 350, 250], maxWeightGrams: 20_000, tareGrams: 380, costMinor: 79 },
  { cartonId: 'carton-l', name: 'Carton L', innerMm: [600, 400, 400], maxWeightGrams: 31_500, tareGrams: 650, costMinor: 128 },
  { cartonId: 'long', name: 'Long carton', innerMm: [650, 150, 150], maxWeightGrams: 10_000, tareGrams: 240, costMinor: 68 },
]

/** A key is called by its own text; it is accepted with the embedded database and on loopback only. */
export const apiKeys: readonly NewApiKey[] = [
  ...channels.map(({ channelId }) => demoKey(`demo-channel-${channelId}`, 'channel', { channels: [channelId] })),
  ...nodes.map(({ nodeId }) => demoKey(`demo-store-${nodeId}`, 'store', { nodes: [nodeId], channels: ['pos'] })),
  ...drivers.map(({ driverId }) => demoKey(`demo-courier-${driverId}`, 'courier', { driverId })),
  ...['support', 'operations', 'finance', 'admin'].map((role) => demoKey(`demo-${role}`, role)),
]

function demoKey(key: string, role: string, reach: Pick<NewApiKey, 'channels' | 'nodes' | 'driverId'> = {}): NewApiKey {
  return { key, name: key, role, demo: true, ...reach }
}
