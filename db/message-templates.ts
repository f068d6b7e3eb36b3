/** The words of messages per channel and language, in versions that never change; and who does not want to be written to. */
import { defaultTemplates, type Template } from '../domain/customer-messages/templates'
import type { Language, MessageKind } from '../domain/customer-messages/kinds'
import { writeAudit } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface TemplateView extends Template {
  channel: string
  kind: string
  language: string
  version: number
  createdAt: string
}
const columns = 'channel, kind, language, version, subject, body AS text, created_at AS "createdAt"'

/** What applies: the channel's newest version, or ours (version 0). */
export async function templateFor(db: Db, channel: string, kind: MessageKind, language: Language): Promise<Template & { version: number }> {
  const own = await row<Template & { version: number }>(db, `SELECT version, subject, body AS text FROM message_templates WHERE channel = ? AND kind = ? AND language = ? ORDER BY version DESC LIMIT 1`, [channel, kind, language])
  return own ?? { version: 0, ...defaultTemplates[language][kind] }
}

export const templatesOf = (db: Db, channel: string): Promise<TemplateView[]> => rows(db, `SELECT ${columns} FROM message_templates WHERE channel = ? ORDER BY kind, language, version DESC`, [channel])

/** A new version, which applies from now on. */
export async function addTemplate(tx: Transaction, wanted: Template & { channel: string; kind: MessageKind; language: Language; actor: string }): Promise<TemplateView> {
  const { channel, kind, language, subject, text, actor } = wanted
  await run(tx, 'SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', [`message_templates ${channel} ${kind} ${language}`])
  const added = await row<TemplateView>(
    tx,
    `INSERT INTO message_templates (channel, kind, language, version, subject, body, created_by)
     SELECT ?, ?, ?, 1 + coalesce((SELECT max(version) FROM message_templates WHERE channel = ? AND kind = ? AND language = ?), 0), ?, ?, ? RETURNING ${columns}`,
    [channel, kind, language, channel, kind, language, subject, text, actor],
  )
  await writeAudit(tx, { actor, action: 'message_template.add', subject: `${channel} ${kind} ${language}`, cause: `version ${added!.version}` })
  return added!
}

export const isOptedOut = async (db: Db, channel: string, contactHmac: string): Promise<boolean> =>
  (await row(db, 'SELECT 1 FROM message_opt_outs WHERE channel = ? AND contact_hmac = ?', [channel, contactHmac])) !== undefined

export async function setOptOut(tx: Transaction, { channel, contactHmac, optedOut, actor }: { channel: string; contactHmac: string; optedOut: boolean; actor: string }): Promise<void> {
  if (optedOut) await run(tx, 'INSERT INTO message_opt_outs (channel, contact_hmac, actor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [channel, contactHmac, actor])
  else await run(tx, 'DELETE FROM message_opt_outs WHERE channel = ? AND contact_hmac = ?', [channel, contactHmac])
  await writeAudit(tx, { actor, action: optedOut ? 'message_opt_out.add' : 'message_opt_out.remove', subject: channel, cause: 'asked for' })
}
