/** Test runs keep what they need in a folder each, so several can go on at once; what a killed one left is stopped and removed by the next. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf } from './process-identity'
import { claim, fileName, isHeld, stopLeftoversIn, type RunRecord } from './run-record'

export interface TestRun {
  folder: string
  record: RunRecord
}

export async function openTestRun(home: string): Promise<TestRun> {
  await sweepTestRuns(home)
  const folder = join(home, 'runs', String(process.pid))
  return { folder, record: await claim(folder) }
}

/** Every run whose own process is gone. @returns the names of the servers that still ran. */
export async function sweepTestRuns(home: string): Promise<string[]> {
  const runs = join(home, 'runs')
  mkdirSync(runs, { recursive: true })
  const stopped: string[] = []
  for (const name of readdirSync(runs)) {
    const folder = join(runs, name)
    if (isHeld(folder) || isJustBeginning(folder, name)) continue
    stopped.push(...(await stopLeftoversIn(folder)))
    rmSync(folder, { recursive: true, force: true })
  }
  return stopped
}

/** A folder is named after its process, and is there a moment before the record in it. */
const isJustBeginning = (folder: string, pid: string): boolean => !existsSync(join(folder, fileName)) && identityOf(Number(pid)) !== undefined
