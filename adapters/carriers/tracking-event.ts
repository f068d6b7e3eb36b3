/** Reads a carrier's signed scan: the signature first, over the raw bytes and in constant time, then the body, field by field. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { CarrierEvent } from '../../activities/ports'
import { parcelStatuses } from '../../domain/delivery/tracking'
import { refuse } from '../../domain/refusals'

/** Older signatures are refused: a recorded message cannot be sent again later. Each delivery attempt is signed anew. */
const toleranceSeconds = 300

/** Fields a carrier adds one day are no reason to lose a scan. */
const eventShape = z.object({
  eventId: z.string().min(1).max(200),
  trackingNumber: z.string().min(1).max(100),
  status: z.enum(parcelStatuses),
  at: z.iso.datetime({ offset: true }).transform((at) => new Date(at).toISOString()),
  detail: z.string().max(1000).optional(),
})

/** @param signature `t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">` @throws Refusal `signature.invalid` or `request.invalid` */
export function readTrackingEvent(rawBody: Buffer, signature: string | undefined, secret: string): CarrierEvent {
  const wrong = whatIsWrong(rawBody, signature, secret)
  if (wrong) throw refuse('signature.invalid', {}, wrong)
  const read = eventShape.safeParse(parseJson(rawBody))
  if (read.success) return read.data
  const errors = read.error.issues.map((issue) => ({ pointer: issue.path.map((part) => `/${String(part)}`).join(''), message: issue.message }))
  throw refuse('request.invalid', {}, undefined, errors)
}

function whatIsWrong(rawBody: Buffer, signature: string | undefined, secret: string): string | undefined {
  const parts = (signature ?? '').split(',').map((part) => part.trim().split('='))
  const at = parts.find(([name]) => name === 't')?.[1] ?? ''
  const given = parts.filter(([name]) => name === 'v1').map(([, value]) => Buffer.from(value ?? '', 'hex'))
  if (!/^\d{1,12}$/.test(at) || given.length === 0) return 'Carrier-Signature must be t=<unix seconds>,v1=<hex>'
  if (Math.abs(Date.now() / 1000 - Number(at)) > toleranceSeconds) return 'The signature is more than five minutes old'
  const expected = createHmac('sha256', secret).update(`${at}.`).update(rawBody).digest()
  const matches = given.some((candidate) => candidate.length === expected.length && timingSafeEqual(candidate, expected))
  return matches ? undefined : 'The signature does not match the body'
}

function parseJson(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString('utf8'))
  } catch {
    throw refuse('request.invalid', {}, 'The body is not valid JSON', [{ pointer: '', message: 'must be a JSON object' }])
  }
}
