/** Who changed what, and why: one append-only row per change a person or a key asked for. */
import type { Transaction } from './connection'

export async function writeAudit(tx: Transaction, entry: { actor: string; action: string; subject: string; cause: string }): Promise<void> {
  await tx('audit').insert(entry)
}
