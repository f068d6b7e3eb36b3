/**
 * What a simulator knows, by kind and id, kept in memory and, when a path is given, in an append-only file of JSON lines:
 * a simulator that is killed and started again still knows every payment and parcel, as the real party would.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

type AnyKinds<Kinds> = { [K in keyof Kinds]: { id: string } }
type Change = [kind: string, id: string, record: { id: string } | null]

export interface Books<Kinds extends AnyKinds<Kinds>> {
  get<K extends keyof Kinds & string>(kind: K, id: string): Kinds[K] | undefined
  /** Every record of a kind, oldest first. */
  all<K extends keyof Kinds & string>(kind: K): Kinds[K][]
  put<K extends keyof Kinds & string>(kind: K, record: Kinds[K]): void
  drop(kind: keyof Kinds & string, id: string): void
  /** Writes everything changed since the last commit as one line, so an effect and the answer stored for it are kept or lost together. */
  commit(): void
  close(): void
}

export interface BooksOptions<Kinds extends AnyKinds<Kinds>> {
  path?: string
  /** Asked for each record when the books are opened: false forgets it (an idempotency key older than a day, say). */
  keep?: <K extends keyof Kinds & string>(kind: K, record: Kinds[K]) => boolean
}

/** Opens the books, reads what was written before, and writes the file anew without what is overwritten or forgotten. */
export function openBooks<Kinds extends AnyKinds<Kinds>>(options: BooksOptions<Kinds>): Books<Kinds> {
  const shelves = new Map<string, Map<string, { id: string }>>()
  const shelf = (kind: string): Map<string, { id: string }> => shelves.get(kind) ?? shelves.set(kind, new Map()).get(kind)!
  const apply = ([kind, id, record]: Change): void => void (record ? shelf(kind).set(id, record) : shelf(kind).delete(id))
  const file = options.path === undefined ? undefined : reopen(options.path, apply, shelves, options.keep as Keep | undefined)
  let staged: Change[] = []
  const change = (entry: Change): void => {
    apply(entry)
    if (file !== undefined) staged.push(entry)
  }
  const commit = (): void => {
    if (file === undefined || staged.length === 0) return
    const line = JSON.stringify(staged) + '\n'
    staged = []
    writeAll(file, line)
  }
  return {
    get: <K extends keyof Kinds & string>(kind: K, id: string) => shelf(kind).get(id) as Kinds[K] | undefined,
    all: <K extends keyof Kinds & string>(kind: K) => [...shelf(kind).values()] as Kinds[K][],
    put: (kind, record) => change([kind, record.id, record]),
    drop: (kind, id) => change([kind, id, null]),
    commit,
    close: () => {
      commit()
      if (file !== undefined) closeSync(file)
    },
  }
}

type Keep = (kind: string, record: { id: string }) => boolean

/** Reads the old file, then replaces it in one step by a file that holds only what still counts. @returns the open file to append to. */
function reopen(path: string, apply: (change: Change) => void, shelves: Map<string, Map<string, { id: string }>>, keep?: Keep): number {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path)) for (const change of readChanges(path)) apply(change)
  const fresh = openSync(`${path}.new`, 'w')
  for (const [kind, records] of shelves) {
    for (const record of records.values()) {
      if (keep && !keep(kind, record)) records.delete(record.id)
      else writeAll(fresh, JSON.stringify([[kind, record.id, record]]) + '\n')
    }
  }
  fsyncSync(fresh)
  renameSync(`${path}.new`, path)
  return fresh
}

/** One system call may take only part of a long line; what is left is written by the next. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

/** A process killed while writing leaves half a last line: that change was never answered, so it is left out. Any other broken line is an error. */
function readChanges(path: string): Change[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const half = lines.pop()
  if (half !== '' && half !== undefined) process.stderr.write(`${path}: the last line was cut off and is left out\n`)
  return lines.flatMap((line, index) => {
    try {
      return JSON.parse(line) as Change[]
    } catch (cause) {
      throw new Error(`${path}, line ${index + 1}: not a line of these books; delete the file to start with empty ones`, { cause })
    }
  })
}
