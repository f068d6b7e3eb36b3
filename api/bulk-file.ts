/** A file of orders, as NDJSON or CSV: looked at as a whole before the first order is taken, then read order by order. */
import type { IncomingMessage } from 'node:http'
import { refuse } from '../domain/refusals'
import { bodyLimitBytes, brokenLine, mediaType } from './body'
import { csvOrders } from './bulk-csv'
import { BrokenCsv } from './csv'
import { linesOf, valueOf } from './lines'
import { spool, type Spool } from './spool'

export const mostOrders = 10_000

export interface BulkItem {
  index: number
  /** `brokenLine` where the line is no JSON. */
  document: unknown
  /** What keeps the rows of a CSV file from being one order. */
  broken?: string
}
export interface BulkFile {
  file: Spool
  items(): AsyncGenerator<BulkItem>
}

type Read = (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Omit<BulkItem, 'index'>>
const readers: Record<string, Read> = { 'application/x-ndjson': jsonOrders, 'application/ndjson': jsonOrders, 'text/csv': csvOrders }

/** @throws `request.unsupported_media_type`; `bulk.invalid` where the file cannot be read to its end, is empty or has too many orders: nothing of it is taken then */
export async function spoolOrders(req: IncomingMessage): Promise<BulkFile> {
  const media = mediaType(req.headers['content-type'])
  const read = readers[media]
  if (!read) throw refuse('request.unsupported_media_type', { contentType: media }, 'Send application/x-ndjson or text/csv')
  const file = await spool(req, (chunks) => look(read(chunks)))
  return { file, items: () => numbered(read(file.chunks())) }
}

async function look(orders: AsyncIterable<unknown>): Promise<void> {
  let count = 0
  try {
    for await (const _ of orders) if ((count += 1) > mostOrders) throw refuse('bulk.invalid', { most: mostOrders }, `The file has more than ${mostOrders} orders`)
  } catch (error) {
    throw error instanceof BrokenCsv ? refuse('bulk.invalid', { line: error.line, reason: error.reason }, `Line ${error.line}: ${error.reason}`) : error
  }
  if (count === 0) throw refuse('bulk.invalid', {}, 'The file has no orders')
}

async function* numbered(orders: AsyncIterable<Omit<BulkItem, 'index'>>): AsyncGenerator<BulkItem> {
  let index = 0
  for await (const order of orders) yield { ...order, index: index++ }
}

/** One order may be as large as if it came by itself. */
async function* jsonOrders(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ document: unknown }> {
  for await (const line of linesOf(chunks, bodyLimitBytes)) {
    const document = line.length > bodyLimitBytes ? brokenLine : valueOf(line)
    if (document !== undefined) yield { document }
  }
}
