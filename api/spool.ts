/**
 * A file of any length on its way in: written to disk while it comes, looked at before anything is done with it, and then read as often as need be. So a slow
 * sender holds no connection to the database, and the file costs the memory of a few lines. Its name is taken away at once: it goes with whoever holds it open,
 * also when this process is killed.
 */
import { createHash, randomUUID } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClientGone } from './body'

/** A sender that says nothing for so long has gone; how long the whole file takes does not matter. */
const silenceMs = 60_000

/** The file on disk. In the hash of a command it stands for its content. */
export class Spool {
  constructor(
    private readonly file: FileHandle,
    readonly sha256: Buffer,
  ) {}
  toJSON(): object {
    return { sha256: this.sha256.toString('hex') }
  }
  chunks(): AsyncIterable<Buffer> {
    return this.file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>
  }
  drop(): Promise<void> {
    return this.file.close()
  }
}

/**
 * @param look reads the chunks to their end, and throws what makes the whole file unfit.
 * @throws what `look` throws; ClientGone when the sender stops before the end
 */
export async function spool(req: IncomingMessage, look: (chunks: AsyncIterable<Buffer>) => Promise<void>): Promise<Spool> {
  const path = join(tmpdir(), `throughline-${randomUUID()}`)
  const hash = createHash('sha256')
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  try {
    await look(written(chunksOf(req), file, hash))
  } catch (error) {
    await file.close()
    req.resume()
    throw error
  }
  return new Spool(file, hash.digest())
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
