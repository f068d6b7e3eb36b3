/** Rows of stock counts, each taken or rejected by itself: what the feed of one request and the file of half a million lines share. */
import { knownPlaces, takeCounts, type StockCount } from '../db/stock-feed'
import type { Transaction } from '../db/connection'
import { refusals, type RefusalCode, type RefusalDetail } from '../domain/refusals'
import { brokenLine } from './body'
import { refuseSchema } from './problem'
import { countRow } from './schemas/stock'

export interface Rejection {
  index: number
  code: RefusalCode
  message: string
  pointer: string
}
export interface ReadCounts {
  counts: { index: number; count: StockCount }[]
  rejected: Rejection[]
}
export interface TakenCounts {
  accepted: number
  /** Not newer than a count already taken of the same shelf. */
  ignored: number
  /** In the order of the rows. */
  rejected: Rejection[]
}

const rejection = (index: number, code: RefusalCode, message: string = refusals[code].says, pointer = `/${index}`): Rejection => ({ index, code, message, pointer })
export const pointed = ({ pointer, message, code }: Rejection): RefusalDetail => ({ pointer, message, code })
export const shown = ({ index, code, message }: Rejection): Omit<Rejection, 'pointer'> => ({ index, code, message })

/** Clocks of tills and scanners run a little ahead. */
const futureToleranceMs = 5 * 60_000

/** @param from the index of the first row. @param reaches whether the caller may count at a node; all, when it is not given. */
export function readCounts(rows: readonly unknown[], now: number, from = 0, reaches: (nodeId: string) => boolean = () => true): ReadCounts {
  const counts: ReadCounts['counts'] = []
  const rejected: Rejection[] = []
  rows.forEach((given, at) => {
    const index = from + at
    if (given === brokenLine) return void rejected.push(rejection(index, 'request.not_json'))
    const read = countRow.safeParse(given)
    if (!read.success) {
      const detail = refuseSchema(read.error, 'body').errors[0]!
      rejected.push(rejection(index, 'request.invalid', `${detail.pointer || 'the row'}: ${detail.message}`, `/${index}${detail.pointer}`))
    } else if (Date.parse(read.data.asOf) > now + futureToleranceMs) rejected.push(rejection(index, 'count.from_future', undefined, `/${index}/asOf`))
    else if (!reaches(read.data.nodeId)) rejected.push(rejection(index, 'auth.scope', undefined, `/${index}/nodeId`))
    else counts.push({ index, count: read.data })
  })
  return { counts, rejected }
}

/** Takes what can be taken: the rest names a SKU or a node that is not there. */
export async function takeRows(tx: Transaction, { counts, rejected }: ReadCounts, actor: string): Promise<TakenCounts> {
  const known = await knownPlaces(tx, counts.map((c) => c.count))
  const unknown: Rejection[] = []
  const usable = counts.filter(({ index, count }) => {
    const code = !known.skus.has(count.sku) ? 'sku.unknown' : !known.nodes.has(count.nodeId) ? 'node.unknown' : undefined
    if (code) unknown.push(rejection(index, code))
    return code === undefined
  })
  const taken = usable.length === 0 ? [] : await takeCounts(tx, usable.map((c) => c.count), actor)
  const accepted = taken.filter(Boolean).length
  return { accepted, ignored: usable.length - accepted, rejected: [...rejected, ...unknown].sort((a, b) => a.index - b.index) }
}
