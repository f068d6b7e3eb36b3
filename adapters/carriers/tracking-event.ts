/** Reads a carrier's signed scan. */
import { z } from 'zod'
import type { CarrierEvent } from '../../activities/ports'
import { parcelStatuses } from '../../domain/delivery/tracking'
import { readSigned } from '../signed-body'

/** Fields a carrier adds one day are no reason to lose a scan. */
const shape = z.object({
  eventId: z.string().min(1).max(200),
  trackingNumber: z.string().min(1).max(100),
  status: z.enum(parcelStatuses),
  at: z.iso.datetime({ offset: true }).transform((at) => new Date(at).toISOString()),
  detail: z.string().max(1000).optional(),
})

/** @throws Refusal `signature.invalid` or `request.invalid` */
export const readTrackingEvent = (rawBody: Buffer, signature: string | undefined, secret: string): CarrierEvent => readSigned({ rawBody, signature, header: 'Carrier-Signature', secret, shape })
