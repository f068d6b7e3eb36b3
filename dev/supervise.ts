/**
 * Starts processes and stops them again in our order, newest first. Each has a process group of its own, so the Ctrl-C of a terminal reaches
 * only us, and writes straight into its log file, so it never breaks on a pipe of ours. Ready is a fact that is asked for, not a pause.
 * One that dies is started again, as a cluster would do it, unless it keeps dying.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { endGroup } from './command'
import { Complaint } from './complaint'
import { lastWords, readFrom } from './log-file'
import type { RunRecord } from './run-record'
import { waitUntil } from './wait'

export interface ChildPlan {
  name: string
  command: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  stopSignal?: NodeJS.Signals
  /** Sent to the whole group when asking did not help, or when there is no time to ask. */
  forceSignal?: NodeJS.Signals
  graceMs?: number
  readyWithinMs?: number
  /** Asked again and again until it says yes; `log` is what the child has written since it started. */
  isReady(log: () => string): boolean | Promise<boolean>
}
export interface Child {
  name: string
  pid: number
  logFile: string
}
export interface Death {
  name: string
  how: string
  lastWords: string
  logFile: string
}
export interface Supervisor {
  /** @throws Complaint when the child ends, or does not get ready, in its time. */
  start(plan: ChildPlan): Promise<Child>
  /** Stops all, newest first, each after the one before has ended. */
  stop(): Promise<void>
  /** No more asking. */
  force(): void
}

export interface SupervisorOptions {
  logFolder: string
  record?: Pick<RunRecord, 'add' | 'remove'>
  /** A child that was ready has ended, nobody asked it to, and it is not started again. */
  onDeath?: (death: Death) => void
  /** The same, and it is started again; without this nothing is. */
  onRevival?: (death: Death) => void
  onStopping?: (name: string) => void
}

/** So many deaths of one child within so long are a fault to be shown, not to be hidden by starting it again. */
const mostDeaths = 5
const deathsWithinMs = 60_000

interface Running extends Child {
  plan: ChildPlan
  process: ChildProcess
  since: number
  ended: Promise<string>
  end?: string
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const running: Running[] = []
  const deaths = new Map<string, number[]>()
  let [stopping, forced] = [false, false]

  const start: Supervisor['start'] = async (plan) => {
    if (stopping) throw new Complaint('stopped while starting')
    const child = launch(plan, options)
    running.push(child) // in the same breath as it was made, so that stopping cannot overlook it
    options.record?.add({ name: plan.name, pid: child.pid, stopSignal: plan.stopSignal ?? 'SIGTERM' })
    await untilReady(child)
    void child.ended.then((how) => mourn(child, how))
    return child
  }

  const mourn = async (child: Running, how: string): Promise<void> => {
    if (stopping) return
    const death = { ...tell(child), how }
    const lately = [...(deaths.get(child.name) ?? []), Date.now()].slice(-mostDeaths)
    deaths.set(child.name, lately)
    const keepsDying = lately.length === mostDeaths && Date.now() - lately[0]! < deathsWithinMs
    if (!options.onRevival || keepsDying) return options.onDeath?.(death)
    options.onRevival(death)
    endGroup(child.pid, 'SIGKILL') // what it has left behind
    options.record?.remove(child.pid)
    await revive(child).catch((error: unknown) => stopping || options.onDeath?.({ ...death, lastWords: error instanceof Error ? error.message : String(error) }))
  }

  /** In the place of the dead one, so that the order of stopping stays what it was. */
  const revive = async (dead: Running): Promise<void> => {
    const child = launch(dead.plan, options)
    running.splice(running.indexOf(dead), 1, child)
    options.record?.add({ name: child.name, pid: child.pid, stopSignal: child.plan.stopSignal ?? 'SIGTERM' })
    await untilReady(child).catch((error: unknown) => {
      if (child.end === undefined) throw error // it lives and does not get ready: no use trying again
    })
    void child.ended.then((how) => mourn(child, how))
  }

  const stop: Supervisor['stop'] = async () => {
    stopping = true
    for (let child = running.pop(); child; child = running.pop()) {
      options.onStopping?.(child.name)
      await stopOne(child, () => forced)
      options.record?.remove(child.pid)
    }
  }

  const force = (): void => {
    ;[stopping, forced] = [true, true]
    for (const child of running) endGroup(child.pid, child.plan.forceSignal ?? 'SIGKILL')
  }
  return { start, stop, force }
}

function launch(plan: ChildPlan, options: SupervisorOptions): Running {
  const logFile = join(options.logFolder, `${plan.name.toLowerCase().replaceAll(' ', '-')}.log`)
  const { log, since } = openLog(options.logFolder, logFile)
  const { command, args, env, cwd, uid, gid } = plan
  const child = spawn(command, args, { env, cwd, uid, gid, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.on('error', () => undefined) // not started: it has no pid, which is said below
  if (child.pid === undefined) throw new Complaint(`${plan.name} cannot be started: see that ${command} exists and may be run.`)
  const ended = new Promise<string>((end) => child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`)))
  const started: Running = { name: plan.name, pid: child.pid, logFile, plan, process: child, since, ended }
  void ended.then((how) => (started.end = how))
  return started
}

async function untilReady(child: Running): Promise<void> {
  const withinMs = child.plan.readyWithinMs ?? 30_000
  const log = (): string => readFrom(child.logFile, child.since)
  let ready = false
  const settled = async (): Promise<boolean> => child.end !== undefined || (ready = await child.plan.isReady(log))
  await waitUntil(settled, withinMs)
  if (ready && child.end === undefined) return
  const { lastWords: words } = tell(child)
  const what = child.end === undefined ? `was not ready within ${Math.round(withinMs / 1000)} s` : `ended while starting (${child.end})`
  throw new Complaint(`${child.name} ${what}: ${words || 'it said nothing'} — its log is ${child.logFile}`)
}

async function stopOne(child: Running, isForced: () => boolean): Promise<void> {
  const { stopSignal = 'SIGTERM', forceSignal = 'SIGKILL', graceMs = 15_000 } = child.plan
  const gone = (): boolean => child.end !== undefined
  if (!gone()) child.process.kill(isForced() ? forceSignal : stopSignal)
  if (!(await waitUntil(() => gone() || isForced(), graceMs)) || !gone()) {
    endGroup(child.pid, forceSignal)
    if (!(await waitUntil(gone, 5_000))) endGroup(child.pid, 'SIGKILL')
  }
  await child.ended
}

const tell = (child: Running): Omit<Death, 'how'> => ({ name: child.name, lastWords: lastWords(readFrom(child.logFile, child.since)), logFile: child.logFile })

/** Logs go on in the same file; one that has grown large makes way. */
function openLog(folder: string, file: string): { log: number; since: number } {
  mkdirSync(folder, { recursive: true })
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 20_000_000) renameSync(file, `${file}.old`)
  return { log: openSync(file, 'a'), since: statSync(file).size }
}
