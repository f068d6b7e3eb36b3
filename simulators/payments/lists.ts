/** Pages through records the way the provider does: newest first, cursors by id; and its search language over metadata. */
import { ApiError, invalidRequest } from './api-error'
import { comparisons, text, wholeNumber } from './params'
import type { Intent } from './records'

/** The parameters every list has. */
export const pageParams = { limit: wholeNumber(1, 100), starting_after: text, ending_before: text }

export interface Page {
  limit?: number
  starting_after?: string
  ending_before?: string
}

/** @param newestFirst everything that passed the filters @throws ApiError 400 for an unknown cursor */
export function listPage<T extends { id: string }>(newestFirst: readonly T[], page: Page, url: string, toJson: (record: T) => object): object {
  const limit = page.limit ?? 10
  const at = (param: 'starting_after' | 'ending_before', id: string): number => {
    const index = newestFirst.findIndex((record) => record.id === id)
    if (index < 0) throw new ApiError(400, { type: 'invalid_request_error', code: 'resource_missing', message: `No such object: '${id}'`, param })
    return index
  }
  const from = page.starting_after === undefined ? 0 : at('starting_after', page.starting_after) + 1
  const to = page.ending_before === undefined ? newestFirst.length : at('ending_before', page.ending_before)
  const found = newestFirst.slice(from, to)
  const shown = page.ending_before === undefined ? found.slice(0, limit) : found.slice(-limit)
  return { object: 'list', data: shown.map(toJson), has_more: found.length > shown.length, url }
}

/** @param page the opaque `next_page` of the answer before */
export function searchPage(
  newestFirst: readonly Intent[],
  limit: number,
  page: string | undefined,
  url: string,
  toJson: (intent: Intent) => object,
): object {
  const from = page === undefined ? 0 : newestFirst.findIndex((intent) => intent.id === Buffer.from(page, 'base64url').toString()) + 1
  if (page !== undefined && from === 0) throw invalidRequest('Invalid page', { param: 'page' })
  const shown = newestFirst.slice(from, from + limit)
  const more = from + limit < newestFirst.length
  const next = more ? Buffer.from(shown.at(-1)!.id).toString('base64url') : null
  return { object: 'search_result', data: shown.map(toJson), has_more: more, next_page: next, url, total_count: newestFirst.length }
}

/** `metadata["orderId"]:"o-1" AND status:"succeeded"`: clauses joined by AND or by OR, `-` in front negates. @throws ApiError 400 */
export function readQuery(query: string): (intent: Intent) => boolean {
  const clauses: ((intent: Intent) => boolean)[] = []
  const joiners = new Set<string>()
  for (let rest = query.trim(); ;) {
    const clause = clauseShape.exec(rest)
    if (!clause) throw badQuery(`cannot read ${rest}`)
    clauses.push(readClause(clause))
    rest = rest.slice(clause[0].length)
    if (rest === '') break
    const joiner = /^\s+(AND|OR)\s+/.exec(rest)
    if (!joiner) throw badQuery(`expected AND or OR before ${rest}`)
    joiners.add(joiner[1]!)
    rest = rest.slice(joiner[0].length)
  }
  if (joiners.size > 1) throw badQuery('AND and OR cannot be mixed')
  return joiners.has('OR') ? (intent) => clauses.some((holds) => holds(intent)) : (intent) => clauses.every((holds) => holds(intent))
}

const clauseShape = /^(-?)(?:metadata\[(["'])(.+?)\2\]|(status|currency|customer|amount|created))(:|>=?|<=?)(?:(["'])((?:\\.|(?!\6).)*)\6|(-?\d+))/s
const orderings = { ':': comparisons.eq, '>': comparisons.gt, '>=': comparisons.gte, '<': comparisons.lt, '<=': comparisons.lte } as const

function readClause([, negated, , metadataKey, field, operator, , quoted, bare]: RegExpExecArray): (intent: Intent) => boolean {
  const wanted = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
  const valueOf = (intent: Intent): string | number | undefined =>
    metadataKey === undefined ? fieldOf(intent, field!) : intent.metadata[metadataKey]
  const holds = (intent: Intent): boolean => {
    const value = valueOf(intent)
    if (typeof value === 'number') return orderings[operator as keyof typeof orderings](value, Number(wanted))
    return operator === ':' && value === wanted
  }
  return negated === '-' ? (intent) => !holds(intent) : holds
}

function fieldOf(intent: Intent, field: string): string | number | undefined {
  if (field === 'amount') return intent.amountMinor
  if (field === 'created') return intent.createdSeconds
  if (field === 'currency') return intent.currency
  return field === 'status' ? intent.status : intent.customer
}

const badQuery = (why: string): ApiError => invalidRequest(`We were unable to parse your search query: ${why}.`, { param: 'query' })
