/**
 * A settlement file is written to disk while it comes, and looked at before anything is booked: what is no such file, or only a part of one, is refused whole.
 * So a slow sender holds no connection to the database, and a file of any length costs the memory of a few lines. Its name is taken away at once: it goes
 * with whoever holds it open, also when this process is killed.
 */
import { createHash, randomUUID } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadLine } from '../db/settlements'
import { foreignCurrency, settlementHeader, settlementLine, type SettlementColumn } from '../domain/payment/settlement'
import { refuse } from '../domain/refusals'
import { ClientGone, mediaType } from './body'
import { BrokenCsv, csvRecords, type CsvRecord } from './csv'

const batchSize = 1_000

/** A sender that says nothing for so long has gone; how long the whole file takes does not matter. */
const silenceMs = 60_000

/** The file on disk. In the hash of a command it stands for its content. */
export class SpooledFile {
  constructor(
    private readonly file: FileHandle,
    readonly sha256: Buffer,
  ) {}
  toJSON(): object {
    return { sha256: this.sha256.toString('hex') }
  }
  /** Its lines after the first, a batch at a time. */
  async *lines(): AsyncGenerator<ReadLine[]> {
    let batch: ReadLine[] = []
    for await (const line of linesOf(this.file.createReadStream({ start: 0, autoClose: false }))) {
      batch.push(line.of)
      if (batch.length < batchSize) continue
      yield batch
      batch = []
    }
    if (batch.length) yield batch
  }
  drop(): Promise<void> {
    return this.file.close()
  }
}

/** @throws `request.unsupported_media_type`, `settlement.invalid` with the line and the reason; ClientGone when the sender stops before the end */
export async function spool(req: IncomingMessage): Promise<SpooledFile> {
  const media = mediaType(req.headers['content-type'])
  if (media !== 'text/csv') throw refuse('request.unsupported_media_type', { contentType: media }, 'Send text/csv')
  const path = join(tmpdir(), `settlement-${randomUUID()}.csv`)
  const hash = createHash('sha256')
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  try {
    await look(written(chunksOf(req), file, hash))
  } catch (error) {
    await file.close()
    req.resume()
    throw error instanceof BrokenCsv ? refuse('settlement.invalid', { line: error.line, reason: error.reason }, `Line ${error.line}: ${error.reason}`) : error
  }
  return new SpooledFile(file, hash.digest())
}

/** The body as it comes. Where nobody wants the rest of it, the connection stays open for the answer. */
async function* chunksOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  req.setTimeout(silenceMs, () => req.destroy(new ClientGone()))
  try {
    yield* req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch (error) {
    throw req.destroyed ? new ClientGone() : error
  }
}

async function* written(chunks: AsyncIterable<Buffer>, file: FileHandle, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    await file.appendFile(chunk)
    yield chunk
  }
}

/** @throws BrokenCsv for what makes the whole file unfit: its columns, its currency, its end. */
async function look(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const { record, columns, width } of bodyOf(chunks)) {
    if (!record.ended && record.cells.length < width) throw new BrokenCsv(record.line, 'the file ends within this line')
    const currency = record.cells.length === width ? foreignCurrency(record.cells, columns) : undefined
    if (currency) throw new BrokenCsv(record.line, `the currency ${currency} is not known here`)
  }
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

function headerOf({ line, cells }: CsvRecord): Omit<BodyRecord, 'record'> {
  const columns = settlementHeader(cells.map((cell, i) => (i === 0 ? cell.replace(/^\uFEFF/, '') : cell).trim()))
  if (typeof columns === 'string') throw new BrokenCsv(line, columns)
  return { columns, width: cells.length }
}
