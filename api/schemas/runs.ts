/** The last mile as answers show it, and what drivers say. */
import { z } from 'zod'
import { runStatuses, taskOutcomes } from '../../domain/delivery/run'
import { at, country, driverId, text, uuid } from './fields'

const task = z.object({ taskId: z.string(), type: z.enum(['deliver', 'collect']), fulfillmentId: z.string().nullable(), returnId: z.string().nullable(), goods: z.array(z.object({ sku: z.string(), name: z.string(), quantity: z.int() })), trackingNumbers: z.array(z.string()), outcome: z.string().nullable(), reason: z.string().nullable() })
const stop = z.object({
  stopId: z.string(),
  sequence: z.int(),
  orderId: z.string(),
  channelOrderId: z.string(),
  latitude: z.number(),
  longitude: z.number(),
  address: z.record(z.string(), z.unknown()).nullable(),
  tasks: z.array(task),
  etaFrom: at.nullable(),
  etaTo: at.nullable(),
  status: z.enum(['pending', 'completed', 'dropped']),
  completedAt: at.nullable(),
})
export const runAnswer = z
  .object({
    runId: z.string(),
    nodeId: z.string(),
    driverId: z.string(),
    date: z.string(),
    number: z.int(),
    status: z.enum(runStatuses),
    stops: z.array(stop),
    distanceMeters: z.int(),
    savedMeters: z.int().meta({ description: 'Against a trip of its own for every door' }),
    plannedAt: at,
    departBy: at,
    acceptedAt: at.nullable(),
    departedAt: at.nullable(),
    returnedAt: at.nullable(),
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'Run' })

/** Of something that is brought or fetched. */
export const runOfTask = z
  .object({ runId: z.string(), stop: z.int(), of: z.int(), etaFrom: at.nullable(), etaTo: at.nullable(), status: z.string(), trackingPath: z.string() })
  .nullable()
  .meta({ description: 'While an own driver comes for it: which stop of how many, and when; null: none does' })

export const dispatchItem = z
  .object({
    fulfillmentId: z.string().nullable().meta({ description: 'What is brought; null where something is fetched' }),
    returnId: z.string().nullable(),
    orderId: z.string(),
    status: z.enum(['waiting', 'parked']).meta({ description: 'parked: nobody knows where its door is' }),
    attempt: z.int(),
    parcels: z.int(),
    weightGrams: z.int(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    dueAt: at.nullable(),
    notBefore: at,
    queuedAt: at,
  })
  .meta({ id: 'DispatchItem' })

export const newRunBody = z.strictObject({ driverId, maxStops: z.int().min(1).max(200).optional() })

export const stopBody = z.strictObject({
  tasks: z
    .array(
      z.strictObject({
        taskId: uuid,
        outcome: z.enum(taskOutcomes),
        reason: text(500).optional(),
        proof: z.strictObject({ name: text(200).optional(), photoRef: text(500).optional(), code: text(50).optional() }).optional(),
      }),
    )
    .min(1)
    .max(100),
})

export const returnBody = z.strictObject({ missing: z.array(uuid).max(500).optional().meta({ description: 'Fulfillments and returns that should have come back and did not' }) })

export const geocodeBody = z.strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
export const geocodeParams = z.strictObject({ country, postalCode: text(20) })
