/**
 * PostgreSQL refuses to run as root. Where we are root (containers, CI), it runs as the user `postgres`, made if need be, even when the project
 * lies in a folder that only root may enter: then it keeps, of root's rights, the one to pass closed folders.
 */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Complaint } from './complaint'

export interface Account {
  uid?: number
  gid?: number
  /** What stands before the command, when changing the user alone is not enough. */
  prefix: readonly string[]
}
export interface Launch {
  command: string
  args: readonly string[]
  uid?: number
  gid?: number
}

/** Who PostgreSQL is to run as, to reach `paths`. */
export function postgresAccount(paths: readonly string[]): Account {
  if (process.getuid?.() !== 0) return { prefix: [] }
  const { uid, gid } = findAccount() ?? createAccount()
  const closed = paths.map((path) => closedFolder(path, uid, gid)).find((folder) => folder !== undefined)
  if (closed === undefined) return { uid, gid, prefix: [] }
  const prefix = passClosedFolders(uid, gid)
  if (!worksWith(prefix)) {
    throw new Complaint(`PostgreSQL runs as the user postgres, who may not enter ${closed}: move the project elsewhere, run as an ordinary user, or set DATABASE_URL.`)
  }
  return { uid, gid, prefix }
}

export function runAs(account: Account, command: string, args: readonly string[]): Launch {
  const [first, ...rest] = account.prefix
  if (first !== undefined) return { command: first, args: [...rest, command, ...args] }
  return { command, args, uid: account.uid, gid: account.gid }
}

/** The outermost folder above `path` that this user may not enter. */
export function closedFolder(path: string, uid: number, gid: number): string | undefined {
  const above = dirname(path)
  const outer = above === path ? undefined : closedFolder(above, uid, gid)
  if (outer !== undefined || above === path) return outer
  const at = statSync(above, { throwIfNoEntry: false })
  if (!at) return undefined
  const bit = at.uid === uid ? 0o100 : at.gid === gid ? 0o010 : 0o001
  return at.mode & bit ? undefined : above
}

function findAccount(): { uid: number; gid: number } | undefined {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

function createAccount(): { uid: number; gid: number } {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], { stdio: 'ignore' })
  } catch {
    // Said below: whatever the reason, the account is not there.
  }
  const made = findAccount()
  if (!made) throw new Complaint('PostgreSQL does not run as root and the user postgres could not be made: run as an ordinary user, or set DATABASE_URL.')
  return made
}

/** Without `no_setuid_fixup`, access(2) would look with none of the kept rights, and initdb believes it. */
const passClosedFolders = (uid: number, gid: number): string[] => [
  ...['setpriv', '--securebits=+no_setuid_fixup', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
]

function worksWith(prefix: readonly string[]): boolean {
  try {
    execFileSync(prefix[0]!, [...prefix.slice(1), 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
