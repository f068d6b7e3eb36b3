/** Messages signed as `t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">`: the signature first, over the raw bytes and in constant time, then the body, field by field. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { z } from 'zod'
import { refuse } from '../domain/refusals'

/** Older signatures are refused: a recorded message cannot be sent again later. Each delivery attempt is signed anew. */
const toleranceSeconds = 300

export interface SignedBody<Shape extends z.ZodType> {
  rawBody: Buffer
  signature: string | undefined
  /** The header it came in, for who has to mend it. */
  header: string
  secret: string
  shape: Shape
}

/** @throws Refusal `signature.invalid` or `request.invalid` */
export function readSigned<Shape extends z.ZodType>({ rawBody, signature, header, secret, shape }: SignedBody<Shape>): z.output<Shape> {
  const wrong = whatIsWrong(rawBody, signature, { header, secret })
  if (wrong) throw refuse('signature.invalid', {}, wrong)
  const read = shape.safeParse(parseJson(rawBody))
  if (read.success) return read.data
  const errors = read.error.issues.map((issue) => ({ pointer: issue.path.map((part) => `/${String(part)}`).join(''), message: issue.message }))
  throw refuse('request.invalid', {}, undefined, errors)
}

function whatIsWrong(rawBody: Buffer, signature: string | undefined, { header, secret }: { header: string; secret: string }): string | undefined {
  const parts = (signature ?? '').split(',').map((part) => part.trim().split('='))
  const at = parts.find(([name]) => name === 't')?.[1] ?? ''
  const given = parts.filter(([name]) => name === 'v1').map(([, value]) => Buffer.from(value ?? '', 'hex'))
  if (!/^\d{1,12}$/.test(at) || given.length === 0) return `${header} must be t=<unix seconds>,v1=<hex>`
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
