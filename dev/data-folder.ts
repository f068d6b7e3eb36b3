/** What lies in `.data/` besides the data itself: the ports we used last time; and how it is emptied. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileName as runRecord } from './run-record'

export type InnerPorts = Record<'postgres' | 'temporal' | 'temporalUi' | 'payments' | 'carriers' | 'fraud', number>

export function rememberedPorts(folder: string): Partial<InnerPorts> {
  try {
    return JSON.parse(readFileSync(join(folder, 'ports.json'), 'utf8')) as Partial<InnerPorts>
  } catch {
    return {}
  }
}

export const rememberPorts = (folder: string, ports: InnerPorts): void => writeFileSync(join(folder, 'ports.json'), JSON.stringify(ports, null, 2))

/** All but the record of the run that is emptying it, and what a test run may be using at this moment. */
export function emptyDataFolder(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== runRecord && name !== 'test') rmSync(join(folder, name), { recursive: true, force: true })
  }
}
