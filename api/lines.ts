/** Reads and writes NDJSON a batch of lines at a time: a file or an answer of any length costs the memory of one batch, and the other side is waited for. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { refuse } from '../domain/refusals'
import { brokenLine, ClientGone, mediaType } from './body'

/** A sender that says nothing for so long has gone; how long the whole file takes does not matter. */
const silenceMs = 60_000

const longestLineBytes = 64 * 1024
const newline = 0x0a

/** @throws `request.unsupported_media_type` unless the body says that it is NDJSON. */
export function requireLines(contentType: string | undefined): void {
  const media = mediaType(contentType)
  if (media !== 'application/x-ndjson' && media !== 'application/ndjson') throw refuse('request.unsupported_media_type', { contentType: media })
}

/** Batches of at most `size` values; a line that cannot be read is `brokenLine`, an empty one is left out. */
export async function* batchesOfLines(req: IncomingMessage, size: number): AsyncGenerator<unknown[]> {
  req.setTimeout(silenceMs, () => req.destroy(new ClientGone()))
  let batch: unknown[] = []
  for await (const line of linesOf(chunksOf(req), longestLineBytes)) {
    const value = valueOf(line)
    if (value === undefined) continue
    batch.push(value)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length) yield batch
}

/** Many callers read nothing before they have sent everything: until then their answer waits here, up to this much. */
const mostWaitingBytes = 16 * 1024 * 1024

/** @throws ClientGone when nobody is there to read it. */
export async function writeLine(res: ServerResponse, line: object): Promise<void> {
  if (res.destroyed) throw new ClientGone()
  res.write(`${JSON.stringify(line)}\n`)
  if (res.writableLength > mostWaitingBytes) await Promise.race([once(res, 'drain'), once(res, 'close')])
}

/** Whether the caller would rather have NDJSON than JSON. */
export const asksForLines = (req: Request): boolean => ['application/x-ndjson', 'application/ndjson'].includes(String(req.accepts(['application/json', 'application/x-ndjson', 'application/ndjson'])))

const rowsAtOnce = 500

/** Rows from the first to the last, read only as fast as the caller takes them: any number of them costs the memory of a few. @throws ClientGone when nobody is there to read them */
export async function writeLines<Row, Key>(res: Response, find: (from: Key | undefined, limit: number) => Promise<readonly Row[]>, keyOf: (last: Row) => Key): Promise<void> {
  const first = await find(undefined, rowsAtOnce)
  async function* pages(): AsyncGenerator<string> {
    for (let rows = first; rows.length > 0; rows = rows.length < rowsAtOnce ? [] : await find(keyOf(rows.at(-1)!), rowsAtOnce)) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  }
  res.status(200).type('application/x-ndjson')
  try {
    await pipeline(Readable.from(pages(), { highWaterMark: 1 }), res)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE' ? new ClientGone() : error
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** undefined for an empty line. */
export function valueOf(line: Buffer): unknown {
  try {
    const text = utf8.decode(line).trim()
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return brokenLine
  }
}

/** One that is longer than any row can be is cut to something that cannot be read. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, longestBytes: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    let data = rest.length ? Buffer.concat([rest, chunk]) : chunk
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline)) {
      yield data.subarray(0, end)
      data = data.subarray(end + 1)
    }
    rest = data.length > longestBytes ? tooLong : data
  }
  if (rest.length) yield rest
}

async function* chunksOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* req as AsyncIterable<Buffer>
  } catch (error) {
    throw req.destroyed ? new ClientGone() : error
  }
}

/** Stands for the beginning of such a line: whatever follows, it is no JSON. */
const tooLong = Buffer.from('too long ')
