/** Asking for delivery options, and what comes back. */
import { z } from 'zod'
import { at, channelId, country, currency, nodeId, quantity, sku, text } from './fields'

const destination = z.strictObject({
  country,
  postalCode: text(20),
  city: text(100).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
})

export const optionsBody = z
  .strictObject({
    channel: channelId,
    destination,
    lines: z.array(z.strictObject({ sku, quantity })).min(1).max(500, 'At most 500 lines'),
    currency,
    sourceNodeId: nodeId.optional().meta({ description: 'Sold in that store' }),
  })
  .meta({ id: 'DeliveryOptionsAsk' })
export type OptionsBody = z.output<typeof optionsBody>

const option = z
  .object({
    optionId: z.string(),
    method: z.string(),
    service: z.string(),
    nodeId: z.string().optional(),
    priceMinor: z.int(),
    promisedFrom: at,
    promisedBy: at,
    confidence: z.number().meta({ description: 'The probability with which it has arrived by `promisedBy`' }),
    shipments: z.int(),
    cutoffAt: at.meta({ description: 'Until when an order still gets this date' }),
  })
  .meta({ id: 'DeliveryOption' })

const unavailable = z.object({ sku: z.string(), quantity: z.int(), available: z.int(), nextSupplyAt: at.optional(), reason: z.string() })

export const optionsAnswer = z
  .object({
    quoteId: z.string().meta({ description: 'A signed token; nothing is booked' }),
    expiresAt: at,
    options: z.array(option),
    unavailable: z.array(unavailable),
    withheld: z.array(z.object({ service: z.string(), code: z.string(), reason: z.string() })).meta({ description: 'Services that are not offered here, and why' }),
  })
  .meta({ id: 'DeliveryOptions' })

export const reservationAnswer = z.object({ reservationId: z.string(), expiresAt: at, status: z.string().optional() }).meta({ id: 'Reservation' })

const calibrationRow = z.object({
  count: z.int(),
  stated: z.number().meta({ description: 'Mean of what was stated' }),
  keptShare: z.number(),
  interval: z.object({ low: z.number(), high: z.number() }).meta({ description: 'Where the true share lies with 95 %, by chance alone' }),
  judged: z.boolean(),
  within: z.boolean(),
})
const calibrationBin = calibrationRow.extend({ from: z.number(), to: z.number() })
export const calibrationAnswer = z
  .object({
    placedFrom: at,
    placedTo: at,
    overall: calibrationRow,
    bins: z.array(calibrationBin),
    carriers: z.array(calibrationRow.extend({ carrier: z.string(), bins: z.array(calibrationBin) })),
    honest: z.boolean().meta({ description: 'Every row that was judged is within its tolerance, and there was one to judge' }),
  })
  .meta({ id: 'PromiseCalibration' })
