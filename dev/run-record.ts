/**
 * Who runs in this data folder, written down: so that a second start can say that the first one is still there, and so that whatever
 * a killed one (kill -9, a crashed terminal) left behind is found and stopped by the next.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endGroup } from './command'
import { Complaint } from './complaint'
import { identityOf, isStill } from './process-identity'
import { waitUntil } from './wait'

export interface RecordedProcess {
  name: string
  pid: number
  identity: string
  stopSignal: NodeJS.Signals
}
interface Record {
  pid: number
  identity: string
  address?: string
  children: RecordedProcess[]
}
export interface RunRecord {
  /** Names of what a killed run had left running here and was stopped now. */
  leftovers: readonly string[]
  add(child: Omit<RecordedProcess, 'identity'>): void
  remove(pid: number): void
  /** Where the API answers, for the line a second start prints. */
  answersAt(address: string): void
  release(): void
}

/** Takes the folder for this process. @throws Complaint while another start of ours holds it. */
export async function claim(folder: string): Promise<RunRecord> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, fileName)
  const before = read(file)
  if (before && isStill(before.pid, before.identity)) throw alreadyRunning(before)
  const leftovers = before ? await stopLeftovers(before) : []
  rmSync(file, { force: true })
  const record: Record = { pid: process.pid, identity: identityOf(process.pid) ?? '', children: [] }
  takeFile(file, record)
  return keeper(file, record, leftovers)
}

/** Of a run whose own process is gone: stops what is left of it, newest first. @returns their names. */
export async function stopLeftoversIn(folder: string): Promise<string[]> {
  const record = read(join(folder, fileName))
  return record && !isStill(record.pid, record.identity) ? stopLeftovers(record) : []
}

/** Is the process that wrote the record of `folder` still there? */
export function isHeld(folder: string): boolean {
  const record = read(join(folder, fileName))
  return record !== undefined && isStill(record.pid, record.identity)
}

export const fileName = 'run.json'
const patienceMs = 10_000

function keeper(file: string, record: Record, leftovers: readonly string[]): RunRecord {
  const save = (): void => {
    const next = `${file}.new`
    writeFileSync(next, JSON.stringify(record, null, 2))
    renameSync(next, file)
  }
  return {
    leftovers,
    add(child) {
      const identity = identityOf(child.pid)
      if (identity === undefined) return
      record.children.push({ ...child, identity })
      save()
    },
    remove(pid) {
      record.children = record.children.filter((c) => c.pid !== pid)
      if (existsSync(file)) save()
    },
    answersAt(address) {
      record.address = address
      save()
    },
    release: () => rmSync(file, { force: true }),
  }
}

/** Created exclusively: of two starts in the same instant one gets it. */
function takeFile(file: string, record: Record): void {
  try {
    writeFileSync(file, JSON.stringify(record, null, 2), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new Complaint('Another npm start is just beginning in this folder: use that one.')
    throw error
  }
}

function alreadyRunning(record: Record): Complaint {
  const where = record.address ? ` at ${record.address}` : ''
  return new Complaint(`Throughline already runs from this folder${where} (process ${record.pid}): use that one, or stop it with Ctrl-C (or: kill ${record.pid}) and start again.`)
}

async function stopLeftovers(record: Record): Promise<string[]> {
  const left = record.children.filter((c) => isStill(c.pid, c.identity)).reverse()
  for (const child of left) {
    endGroup(child.pid, child.stopSignal)
    const gone = (): boolean => !isStill(child.pid, child.identity)
    if (await waitUntil(gone, patienceMs)) continue
    endGroup(child.pid, 'SIGKILL')
    await waitUntil(gone, patienceMs)
  }
  return left.map((c) => c.name)
}

function read(file: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record
  } catch {
    return undefined
  }
}
