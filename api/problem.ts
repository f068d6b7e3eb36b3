/** How "no" leaves the building: a refusal becomes an RFC 9457 problem document here and nowhere else. Anything that is not a refusal becomes a bare 500, its cause kept for the log. */
import type { z } from 'zod'
import '../adapters/schema-words'
import { refusals, refuse, type Refusal, type RefusalCode, type RefusalDetail } from '../domain/refusals'

/** Its codes are the catalogue of domain/refusals.ts, so the URI of a problem ends in one of them. */
export const problemBase = 'https://throughline.example/problems/'
export const problemType = 'application/problem+json'

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  errors: readonly RefusalDetail[]
  requestId: string
  [data: string]: unknown
}

/** The refusal's data comes first, so that it can never cover a member that the standard names. */
export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, says } = refusals[refusal.code]
  const detail = refusal.detail ?? says
  return { ...refusal.data, type: problemBase + refusal.code, title: says, status, detail, code: refusal.code, errors: refusal.errors, requestId }
}

export const statusOf = (code: RefusalCode): number => refusals[code].status

/** Says that something of ours broke, and nothing about what. */
export const internalProblem = (requestId: string): Problem => ({
  type: `${problemBase}internal`,
  title: 'Something went wrong on our side',
  status: 500,
  detail: 'The request could not be answered; it may be repeated with the same Idempotency-Key',
  code: 'internal',
  errors: [],
  requestId,
})

/** Where in the request a schema was applied; the body's pointers start at its root. */
export type Place = 'body' | 'query' | 'path' | 'headers'

/** Every field that does not match, each by its JSON pointer; unknown fields by name. */
export function refuseSchema(error: z.ZodError, place: Place): Refusal {
  const errors = error.issues.flatMap((issue) => detailsOf(issue, place))
  return refuse('request.invalid', {}, summary(errors), errors)
}

/** One place that is wrong, found without a schema. */
export const refuseField = (pointer: string, message: string): Refusal => refuse('request.invalid', {}, `${pointer}: ${message}`, [{ pointer, message }])

export const pointerTo = (path: readonly PropertyKey[]): string => path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const mostErrors = 100

function summary(errors: readonly RefusalDetail[]): string {
  const [first] = errors
  const more = errors.length - 1
  return `${first?.pointer || 'the body'}: ${first?.message ?? 'does not match'}${more > 0 ? ` (and ${more} more)` : ''}`
}

function detailsOf(issue: z.core.$ZodIssue, place: Place): RefusalDetail[] {
  const path = place === 'body' ? issue.path : [place, ...issue.path]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, mostErrors).map((key) => ({ pointer: pointerTo([...path, key]), message: `${unknownField} "${key.slice(0, 100)}"` }))
  if (issue.code === 'invalid_union') {
    const closest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]
    if (closest && depth(closest) > 0) return closest.flatMap((inner) => detailsOf({ ...inner, path: [...issue.path, ...inner.path] }, place))
  }
  return [{ pointer: pointerTo(path), message: issue.message }]
}

const unknownField = 'Unknown field'
/** Named by the caller, and not by us. */
export const isUnknownField = ({ message }: RefusalDetail): boolean => message.startsWith(unknownField)

/** Of several shapes none of which fits, the one that got furthest is what the caller meant. */
const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((i) => i.path.length))
