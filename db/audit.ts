/** Who changed what, and why: one append-only row per change a person or a key asked for, and one that is linked to it per command. Nothing personal stands in it, so that it can be kept. */
import { rows, run, type Db, type Transaction } from './connection'
import { Conditions } from './views/sql'

export interface AuditEntry {
  actor: string
  /** `noun.verb`. */
  action: string
  subject: string
  /** Why: a reason from a list or a person's own words about the goods, or what asked for it (`request:…`, `command:…`). */
  cause: string
}

/** The command that a transaction carries out, until its row is written. */
const commands = new WeakMap<Db | Transaction, { commandId: string | null; audited: boolean }>()

/** What is written in this transaction is done for this command: the first row of it is linked. Signals and our own decisions have ids too, which are no command's and may repeat from order to order. */
export const underCommand = (tx: Transaction, commandId: string): void => void commands.set(tx, { commandId: isRecorded(commandId) ? commandId : null, audited: false })

/** Commands that came over the API are named by a hash. */
const isRecorded = (commandId: string): boolean => /^[0-9a-f]{64}$/.test(commandId)

/** False where a command has changed something, and nobody has said what: then the caller does. */
export const isAudited = (tx: Transaction): boolean => commands.get(tx)?.audited ?? false

export async function writeAudit(tx: Transaction, ...entries: readonly AuditEntry[]): Promise<void> {
  await run(tx, auditSql, auditBindings(tx, entries))
}

/** For a statement that writes more than this; its bindings are `auditBindings`. */
export const auditSql = 'INSERT INTO audit (actor, action, subject, cause, command_id) SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[])'

export const auditBindings = (tx: Db | Transaction, entries: readonly AuditEntry[]): unknown[] => [
  ...(['actor', 'action', 'subject', 'cause'] as const).map((column) => entries.map((entry) => entry[column])),
  entries.map(() => commandOf(tx)),
]

function commandOf(tx: Db | Transaction): string | null {
  const command = commands.get(tx)
  if (!command || command.audited) return null
  command.audited = true
  return command.commandId
}

export interface AuditRow extends AuditEntry {
  auditId: number
  at: string
}
export interface AuditFilter {
  subject?: string
  actor?: string
  from?: string
  to?: string
}

/** Newest first. */
export function auditList(db: Db, { subject, actor, from, to, before, limit }: AuditFilter & { before?: number; limit: number }): Promise<AuditRow[]> {
  const where = new Conditions().when(subject, 'subject = ?').when(actor, 'actor = ?').when(from, 'at >= ?').when(to, 'at < ?').when(before, 'audit_id < ?')
  return rows(db, `SELECT audit_id AS "auditId", at, actor, action, subject, cause FROM audit ${where.where} ORDER BY audit_id DESC LIMIT ?`, [...where.bindings, limit])
}
