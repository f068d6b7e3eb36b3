/** Effects done once: the key and the result are committed with the effect, so a step that runs again after a crash gets the first answer instead of doing it twice. */
import type { IfVersion } from '../domain/messages'
import { isAudited, underCommand, writeAudit, type AuditEntry } from './audit'
import { row, run, type Db, type Transaction } from './connection'
import { refuseUnlessAt } from './orders'

/**
 * Runs `effect` in one transaction unless it has been committed under `key` before; then its first result is returned.
 * Two attempts at the same time: the second waits on the key and gets the result of the first. What `effect` throws rolls back and is not remembered.
 */
export function once<Result>(db: Db, key: string, effect: (tx: Transaction) => Promise<Result>): Promise<Result> {
  return db.transaction(async (tx) => {
    const fresh = await row(tx, 'INSERT INTO effects (effect_key) VALUES (?) ON CONFLICT DO NOTHING RETURNING effect_key', [key])
    if (!fresh) {
      const first = await row<{ result: Result }>(tx, 'SELECT result FROM effects WHERE effect_key = ?', [key])
      return first!.result
    }
    const result = await effect(tx)
    await run(tx, 'UPDATE effects SET result = ?::jsonb WHERE effect_key = ?', [JSON.stringify(result ?? null), key])
    return result
  })
}

/** One of several attempts at the same, each done once. */
export interface Attempt {
  attempt: number
  /** Of an order that was opened again: which of its threads counts. Absent: the first. */
  threadId?: string
}

export const numberOf = ({ attempt, threadId }: Attempt): string => (threadId === undefined ? String(attempt) : `${threadId}:${attempt}`)

/** What a command asked for, and by whom. */
export interface AskedFor {
  commandId: string
  actor: string
  ifVersion?: IfVersion
}

/**
 * `once`, for what a person or a key asked of an order: with the audit row of the command, unless the effect writes one that says more.
 * @param what `action` as `noun.verb`, and of what; `unless`: the result changes nothing that was asked for
 */
export function onceAsked<Result>(
  db: Db,
  key: string,
  { ask, unless, ...what }: Pick<AuditEntry, 'action' | 'subject'> & { ask: AskedFor; unless?: (result: Result) => boolean },
  effect: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  return once(db, key, async (tx) => {
    underCommand(tx, ask.commandId)
    if (ask.ifVersion) await refuseUnlessAt(tx, ask.ifVersion)
    const result = await effect(tx)
    if (!isAudited(tx) && !unless?.(result)) await writeAudit(tx, { ...what, actor: ask.actor, cause: `command:${ask.commandId}` })
    return result
  })
}
