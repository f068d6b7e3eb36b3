/** The small words that schemas are spelled with: ids, instants, money, text. One definition each, so they mean the same in every request. */
import { z } from 'zod'
import { isCurrency } from '../../domain/money'
import { channelClaims, channelKinds } from '../../domain/policy/channel-facts'
import { parseDuration } from '../../domain/policy/duration'

export const uuid = z.uuid().toLowerCase()
export const channelId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Must be a channel id: lower-case letters, digits, - and _')
export const nodeId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Must be a node id: lower-case letters, digits, - and _')
export const driverId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Must be a driver id: lower-case letters, digits, - and _')
export const sku = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/#+-]{0,99}$/, 'Must be a SKU: letters, digits and . _ / # + -')

/** Of SKUs. */
export const category = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Must be a category: lower-case letters, digits, - and _')

/** Text as people write it: no control characters, not only spaces. */
export const text = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    .regex(/^[^\u0000-\u001f\u007f]*\S[^\u0000-\u001f\u007f]*$/, 'Must not be empty or hold control characters')

const earliest = Date.UTC(1970, 0, 1)

/** An ISO 8601 instant; an offset is allowed and read as the instant it names. */
export const instant = z.iso
  .datetime({ offset: true, error: 'Must be an ISO 8601 instant such as 2026-11-23T09:00:00Z' })
  .refine((value) => Date.parse(value) >= earliest, 'Must be an instant after 1970')
  .transform((value) => new Date(value).toISOString())
  .meta({ override: { type: 'string', format: 'date-time' } })

/** An instant in an answer. */
export const at = z.iso.datetime()

export const currency = z.string().refine(isCurrency, 'Must be an ISO 4217 currency code').meta({ examples: ['EUR'] })
export const country = z.string().regex(/^[A-Z]{2}$/, 'Must be an ISO 3166 country code, e.g. DE')
export const timeZone = z.string().refine(isTimeZone, 'Must be an IANA time zone, e.g. Europe/Berlin').meta({ examples: ['Europe/Berlin'] })
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Must be a time of day, e.g. 15:00')
export const duration = z
  .string()
  .refine((value) => (parseDuration(value) ?? 0) > 0, 'Must be an ISO 8601 duration of fixed length, e.g. PT30M or P1D')
  .meta({ examples: ['PT30M'] })

/** Of a line of an order as it is kept: a component of a kit adds its number to the id the channel gave, what replaces it goes before. */
export const keptLineId = text(120)

export const quantity = z.int().min(1).max(1_000_000)
export const units = z.int().min(0).max(100_000_000)
export const minor = z.int().min(0).max(99_999_999_999)

/** What a merchant marks a channel with, and what an amount of a channel's own is called. */
export const channelFlag = z.string().regex(/^[a-z0-9_]{1,50}$/, 'Must be lower-case letters, digits and _')
export const limitName = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'Must be the name of a limit: lower-case letters, digits and _')

/** Which channels a rule is for. */
export const forChannels = {
  channels: z.array(channelId).min(1).max(100).optional(),
  channelKinds: z.array(z.enum(channelKinds)).min(1).max(channelKinds.length).optional(),
  channelCurrencies: z.array(currency).min(1).max(200).optional(),
  channelTimeZones: z.array(timeZone).min(1).max(500).optional(),
  channelClaims: z.array(z.enum(channelClaims)).min(1).max(channelClaims.length).optional().meta({ description: 'Whether the channel’s orders take their stock when they are placed' }),
  channelFlags: z.array(channelFlag).min(1).max(20).optional().meta({ description: 'The channel has any of these' }),
}

export const address = z.strictObject({
  name: text(200).optional(),
  line1: text(200).optional(),
  line2: text(200).optional(),
  city: text(100).optional(),
  region: text(100).optional(),
  postalCode: text(20).optional(),
  country,
})

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
