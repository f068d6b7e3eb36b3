/** The provider's settlement file, looked at before anything is booked: what is no such file, or only a part of one, is refused whole. */
import type { IncomingMessage } from 'node:http'
import type { ReadLine } from '../db/settlements'
import { foreignCurrency, settlementHeader, settlementLine, type SettlementColumn } from '../domain/payment/settlement'
import { refuse } from '../domain/refusals'
import { mediaType } from './body'
import { BrokenCsv, csvRecords, type CsvRecord } from './csv'
import { spool, type Spool } from './spool'

const batchSize = 1_000

/**
 * @param lines how many the sender means to send, the first and empty ones not counted; undefined: whoever sends it does not say
 * @throws `request.unsupported_media_type`, `settlement.invalid` with the line and the reason; ClientGone when the sender stops before the end
 */
export async function spoolSettlement(req: IncomingMessage, lines?: number): Promise<Spool> {
  const media = mediaType(req.headers['content-type'])
  if (media !== 'text/csv') throw refuse('request.unsupported_media_type', { contentType: media }, 'Send text/csv')
  try {
    return await spool(req, (chunks) => look(chunks, lines))
  } catch (error) {
    throw error instanceof BrokenCsv ? refuse('settlement.invalid', { line: error.line, reason: error.reason }, `Line ${error.line}: ${error.reason}`) : error
  }
}

/** Its lines after the first, a batch at a time. */
export async function* settlementLines(file: Spool): AsyncGenerator<ReadLine[]> {
  let batch: ReadLine[] = []
  for await (const line of linesOf(file.chunks())) {
    batch.push(line.of)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length) yield batch
}

/** @throws BrokenCsv for what makes the whole file unfit: its columns, its currency, its end. */
async function look(chunks: AsyncIterable<Buffer>, lines?: number): Promise<void> {
  let [count, last] = [0, 1]
  for await (const { record, columns, width } of bodyOf(chunks)) {
    if (!record.ended && record.cells.length < width) throw new BrokenCsv(record.line, cutShort)
    if (!record.complete) throw new BrokenCsv(record.line, `${cutShort}, or its line break is missing`)
    count += 1
    last = record.line
    const currency = record.cells.length === width ? foreignCurrency(record.cells, columns) : undefined
    if (currency) throw new BrokenCsv(record.line, `the currency ${currency} is not known here`)
  }
  if (lines !== undefined && count !== lines) throw new BrokenCsv(last, `it has ${count} lines after the first, and ${lines} were to come`)
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ of: ReadLine }> {
  for await (const { record, columns, width } of bodyOf(chunks)) {
    const read = record.cells.length === width ? settlementLine(record.cells, columns) : `it has ${record.cells.length} cells, the first line ${width}`
    yield { of: typeof read === 'string' ? { line: record.line, why: read } : { line: record.line, read } }
  }
}

interface BodyRecord {
  record: CsvRecord
  columns: Record<SettlementColumn, number>
  width: number
}

async function* bodyOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<BodyRecord> {
  let header: Omit<BodyRecord, 'record'> | undefined
  for await (const record of csvRecords(chunks)) {
    if (header) yield { record, ...header }
    else header = headerOf(record)
  }
  if (!header) throw new BrokenCsv(1, 'it is empty')
}

function headerOf({ line, cells, complete }: CsvRecord): Omit<BodyRecord, 'record'> {
  const columns = settlementHeader(cells.map((cell, i) => (i === 0 ? cell.replace(/^\uFEFF/, '') : cell).trim()))
  if (typeof columns === 'string') throw new BrokenCsv(line, columns)
  if (!complete) throw new BrokenCsv(line, `${cutShort}, or its line break is missing`)
  return { columns, width: cells.length }
}

const cutShort = 'the file ends within this line'
