/** What a schema says no with, in our words: what a value must be. zod's own name its types; importing this file changes them for the whole process. */
import { z } from 'zod'

type Issue = z.core.$ZodRawIssue

const types: Readonly<Record<string, string>> = {
  string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', object: 'an object', record: 'an object', array: 'a list', null: 'null', date: 'a date',
}

const formats: Readonly<Record<string, string>> = {
  email: 'an e-mail address', url: 'a URL', uuid: 'a UUID', datetime: 'a date and time with its zone, e.g. 2026-03-01T09:30:00Z', date: 'a date, e.g. 2026-03-01', duration: 'an ISO 8601 duration, e.g. P30D',
}

function words(issue: Issue): string {
  if (issue.code === 'invalid_type') return typed(issue)
  if (issue.code === 'invalid_format') return `Must be ${formats[issue.format] ?? (issue.pattern === undefined ? 'well formed' : `as ${issue.pattern} says`)}`
  if (issue.code === 'invalid_value') return oneOf(issue.input, issue.values)
  if (issue.code === 'too_small') return issue.minimum === 1 && isCounted(issue.origin) ? 'Must not be empty' : `Must ${bound(issue.origin, issue.exact ? '' : issue.inclusive ? 'at least ' : 'above ', issue.minimum)}`
  if (issue.code === 'too_big') return `Must ${bound(issue.origin, issue.exact ? '' : issue.inclusive ? 'at most ' : 'below ', issue.maximum)}`
  if (issue.code === 'not_multiple_of') return `Must be a multiple of ${issue.divisor}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? 'Must have another name'
  if (issue.code === 'invalid_union') return Array.isArray(issue.options) ? oneOf(issue.input, issue.options) : issue.input === undefined ? 'Is needed' : 'Fits nothing that it may be'
  return 'Is not valid'
}

function typed({ input, path, expected }: Issue & { code: 'invalid_type' }): string {
  if (input === undefined) return 'Is needed'
  const isAmount = (expected === 'int' || expected === 'number') && String(path?.at(-1)).endsWith('Minor')
  return isAmount ? 'Must be a whole number of the smallest unit of the currency: 19.99 euros are 1999' : `Must be ${types[expected] ?? expected}`
}

const oneOf = (input: unknown, options: readonly unknown[]): string => `${input === undefined ? 'Is needed:' : 'Must be'} ${options.length > 1 ? 'one of ' : ''}${options.map(String).join(', ')}`

const isCounted = (origin: string): boolean => ['string', 'array', 'set', 'map'].includes(origin)

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (!isCounted(origin)) return `be ${relation}${limit}`
  const [one, many] = origin === 'string' ? ['character', 'characters'] : ['entry', 'entries']
  return `have ${relation}${limit} ${Number(limit) === 1 ? one : many}`
}

z.config({ customError: words })
