/** Nodes, SKUs, channels and drivers as they are set up. What a GET gives can be sent back by PUT. */
import { z } from 'zod'
import { channelClaims, channelKinds } from '../../domain/policy/channel-facts'
import { nodeTypes } from '../../domain/policy/sourcing'
import { openCalendar, type CalendarSettings } from '../../domain/promise/calendar'
import { isObstacle } from '../../domain/promise/obstacle'
import { address, at, category, channelFlag, channelId, country, currency, driverId, duration, instant, limitName, minor, nodeId, sku, text, timeOfDay, timeZone, units } from './fields'

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export const deliveryMethods = ['delivery', 'pickup', 'ship_to_store', 'carry_out'] as const

const hours = z.strictObject({ opens: timeOfDay, closes: timeOfDay }).refine((h) => h.opens < h.closes, { message: 'Must close after it opens', path: ['closes'] })
const localDate = z.iso.date('Must be a date such as 2026-12-24')
const collections = z.array(timeOfDay).min(1).max(24)
const perHour = z.int().min(0).max(1_000_000)

export const nodeBody = z
  .strictObject({
    nodeId: nodeId.optional(),
    name: text(200),
    type: z.enum(nodeTypes),
    timeZone,
    country,
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    address: address.partial().default({}),
    calendar: z.partialRecord(z.enum(weekdays), hours).default({}),
    cutoffs: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'Must be a service'), timeOfDay).default({}),
    specialDays: z
      .record(localDate, z.strictObject({ hours: z.array(hours).max(10), pickups: z.array(timeOfDay).max(24).optional() }))
      .default({})
      .meta({ description: 'By local date, instead of the weekday’s hours; no hours: closed' }),
    pickups: z
      .record(z.string().regex(/^[a-z][a-z0-9_-]{0,40}$/, 'Must be a carrier'), z.union([collections, z.partialRecord(z.enum(weekdays), collections)]))
      .default({})
      .meta({ description: 'By carrier, when it collects; a carrier that is not named collects at closing' }),
    leadMinutes: z.int().min(1).max(20_160).default(120).meta({ description: 'Working minutes until a parcel stands at the door, for four in five' }),
    capacity: z.strictObject({ ordersPerHour: perHour.optional(), unitsPerHour: perHour.optional(), ordersPerDay: perHour.optional() }).default({}),
    methods: z.array(z.enum(deliveryMethods)).min(1).max(deliveryMethods.length).default(['delivery']),
    handlesHazardous: z.boolean().default(false).meta({ description: 'It may send hazardous goods' }),
    exportsTo: z.array(country).max(250).default([]).meta({ description: 'Countries for which it has papers for goods under export control' }),
    active: z.boolean().default(true),
  })
  .superRefine((node, context) => {
    const wrong = whatIsWrong(node)
    if (wrong) context.addIssue({ code: 'custom', path: [wrong.field], message: wrong.says })
  })
  .meta({ id: 'NodeSettings' })

/** A calendar that is given must be one that can be worked by; without one the node gives no dates. */
function whatIsWrong(node: Pick<CalendarSettings, 'timeZone' | 'specialDays' | 'cutoffs' | 'pickups'> & { calendar: CalendarSettings['weekly'] }): { field: string; says: string } | undefined {
  const days = Object.keys(node.calendar).length + Object.keys(node.specialDays ?? {}).length
  const opened = days === 0 ? undefined : openCalendar({ ...node, weekly: node.calendar })
  if (!opened || !isObstacle(opened)) return undefined
  const [about] = opened.obstacle.split('.')
  return { field: about === 'cutoff' ? 'cutoffs' : about === 'pickup' ? 'pickups' : 'calendar', says: opened.says }
}

export const nodeAnswer = z
  .object({
    nodeId: z.string(),
    name: z.string(),
    type: z.string(),
    timeZone: z.string(),
    country: z.string(),
    latitude: z.number(),
    longitude: z.number(),
    address: z.record(z.string(), z.unknown()),
    calendar: z.record(z.string(), z.unknown()),
    specialDays: z.record(z.string(), z.unknown()),
    cutoffs: z.record(z.string(), z.unknown()),
    pickups: z.record(z.string(), z.unknown()),
    leadMinutes: z.int(),
    capacity: z.record(z.string(), z.unknown()),
    methods: z.array(z.string()),
    handlesHazardous: z.boolean(),
    exportsTo: z.array(z.string()),
    active: z.boolean(),
  })
  .meta({ id: 'Node' })

const sideMm = z.int().min(1).max(100_000).nullish().transform((side) => side ?? null)

const preorder = z.strictObject({
  cap: units.meta({ description: 'Units that may be promised before there are any' }),
  shipBy: instant.meta({ description: 'The date they are promised for; after it nothing more is' }),
  promised: units.optional().meta({ description: 'Read only: what a GET gave may be sent back' }),
})

export const skuBody = z
  .strictObject({
    sku: sku.optional(),
    name: text(300),
    weightGrams: z.int().min(1).max(10_000_000),
    lengthMm: sideMm,
    widthMm: sideMm,
    heightMm: sideMm,
    backorder: z.boolean().default(false).meta({ description: 'Orders may be accepted for announced supply' }),
    hazardous: z.boolean().default(false).meta({ description: 'Sent only from nodes that may handle hazardous goods' }),
    exportControlled: z.boolean().default(false).meta({ description: 'Sent abroad only from nodes with papers for that country' }),
    category: category.nullable().default(null).meta({ description: 'What rules of returns know it by' }),
    preorder: preorder.nullable().default(null).meta({ description: 'Orders may be accepted before any supply is announced' }),
    kit: z
      .array(z.strictObject({ sku, quantity: z.int().min(1).max(1_000) }))
      .min(1)
      .max(50)
      .nullable()
      .default(null)
      .meta({ description: 'What it is made of: it has no stock of its own and is ordered as its components' }),
  })
  .superRefine((settings, context) => {
    if (!settings.kit) return
    const message = 'A kit is sold from its components: set this on them'
    if (settings.backorder) context.addIssue({ code: 'custom', path: ['backorder'], message })
    if (settings.preorder) context.addIssue({ code: 'custom', path: ['preorder'], message })
  })
  .meta({ id: 'SkuSettings' })

export const skuAnswer = z
  .object({
    sku: z.string(),
    name: z.string(),
    weightGrams: z.int(),
    lengthMm: z.int().nullable(),
    widthMm: z.int().nullable(),
    heightMm: z.int().nullable(),
    backorder: z.boolean(),
    hazardous: z.boolean(),
    exportControlled: z.boolean(),
    category: z.string().nullable(),
    preorder: z.object({ cap: units, shipBy: at, promised: units }).nullable(),
    kit: z.array(z.object({ sku: z.string(), quantity: z.int() })).nullable(),
  })
  .meta({ id: 'Sku' })

const apiUrl = z.url({ protocol: /^https?$/ }).max(500)

export const channelBody = z
  .strictObject({
    channelId: channelId.optional(),
    name: text(200),
    currency,
    timeZone,
    claim: z.enum(channelClaims).default('required'),
    stockBuffer: z.int().min(0).max(1_000_000).default(0).meta({ description: 'Units of every shelf that this channel never sells' }),
    stockThreshold: z.int().min(0).max(1_000_000).default(0).meta({ description: 'Below so many available units of a shelf this channel sells none of it' }),
    kind: z.enum(channelKinds).default('web'),
    orderPageUrl: z.url({ protocol: /^https?$/ }).max(500).nullable().default(null).meta({ description: 'Where a customer finds her order; `{channelOrderId}` stands for its number' }),
    flags: z.array(channelFlag).max(20).default([]).meta({ description: 'What rules are told of the channel, e.g. `review_first_order`' }),
    limits: z.record(limitName, minor).default({}).meta({ description: 'Amounts by the name that rules know them by, e.g. `approval`, in minor units of its currency' }),
    returnTerms: text(100).nullable().default(null).meta({ description: 'The terms of returns of its orders, by the name that rules of returns know them by' }),
    silence: duration.nullable().default(null).meta({ description: 'How long the channel may say nothing before it is a case' }),
    api: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('shopify'), url: apiUrl, locations: z.record(nodeId, text(200)).default({}) }),
        z.strictObject({ kind: z.literal('amazon'), url: apiUrl, marketplaceId: text(50), clientId: text(200), tokenUrl: apiUrl.default('https://api.amazon.com/auth/o2/token') }),
      ])
      .nullable()
      .default(null)
      .meta({ description: 'Its own api: told of parcels, cancellations and stock, and asked for orders that never came. `locations`: by node, the id of the shop’s place' }),
    apiToken: text(500).nullable().optional().meta({ description: 'Written, never read back; null takes it away, absent leaves it' }),
    apiSecret: text(500).nullable().optional().meta({ description: 'The secret of the application, where the token alone opens nothing (Amazon). Written, never read back; null takes it away, absent leaves it' }),
    hasApiToken: z.boolean().optional().meta({ description: 'Read only' }),
    hasApiSecret: z.boolean().optional().meta({ description: 'Read only' }),
    shopifySecret: text(500).nullable().optional().meta({ description: 'Written, never read back; null takes it away, absent leaves it' }),
    hasShopifySecret: z.boolean().optional().meta({ description: 'Read only: what a GET gave may be sent back, and changes nothing' }),
  })
  .meta({ id: 'ChannelSettings' })

export const channelAnswer = z
  .object({
    channelId: z.string(),
    name: z.string(),
    currency: z.string(),
    timeZone: z.string(),
    claim: z.string(),
    stockBuffer: z.int(),
    stockThreshold: z.int(),
    kind: z.enum(channelKinds),
    orderPageUrl: z.string().nullable(),
    flags: z.array(z.string()),
    limits: z.record(z.string(), minor),
    returnTerms: z.string().nullable(),
    silence: z.string().nullable(),
    api: z.looseObject({ kind: z.string(), url: z.string() }).nullable(),
    hasApiToken: z.boolean(),
    hasApiSecret: z.boolean(),
    hasShopifySecret: z.boolean(),
  })
  .meta({ id: 'Channel' })

export const driverBody = z
  .strictObject({
    driverId: driverId.optional(),
    name: text(200),
    homeNodes: z.array(nodeId).max(100),
    shift: z.strictObject({ from: timeOfDay, to: timeOfDay }).partial().default({}),
    vehicle: z.strictObject({ kind: text(50), maxParcels: z.int().min(1).max(10_000), maxWeightGrams: z.int().min(1).max(100_000_000) }).partial().default({}),
  })
  .meta({ id: 'DriverSettings' })

export const driverAnswer = z
  .object({
    driverId: z.string(),
    name: z.string(),
    homeNodes: z.array(z.string()),
    shift: z.record(z.string(), z.unknown()),
    vehicle: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Driver' })
