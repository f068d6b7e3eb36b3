/** Who changed what, and why: one append-only row per change a person or a key asked for. */
import { run, type Transaction } from './connection'

export async function writeAudit(tx: Transaction, entry: { actor: string; action: string; subject: string; cause: string }): Promise<void> {
  await run(tx, 'INSERT INTO audit (actor, action, subject, cause) VALUES (?, ?, ?, ?)', [entry.actor, entry.action, entry.subject, entry.cause])
}
