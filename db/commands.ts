/**
 * Commands and their answers: one row per (api key, route, Idempotency-Key). Either effect and answer commit with the row in one
 * transaction, or, where an order's workflow must be asked, the row commits first and the answer is written into it later. Either way a
 * repeat finds what the first one did.
 */
import { isAudited, underCommand, type AuditEntry } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface CommandIdentity {
  apiKeyId: string
  /** Method and path with its ids filled in: the same key on another order is another command. */
  route: string
  idempotencyKey: string
  bodyHash: Buffer
  /** The same for every attempt; also the id of the workflow update. */
  commandId: string
}

export interface StoredAnswer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

export interface CommandRow {
  commandId: string
  route: string
  bodyHash: Buffer
  orderId: string | null
  updateName: string | null
  updateArgs: { actor: string; [argument: string]: unknown } | null
  leased: boolean
  answer: StoredAnswer | null
}

export type Outcome = { fresh: true; answer: StoredAnswer } | { fresh: false; first: CommandRow | undefined }

/**
 * Runs `effect` and keeps its answer in one transaction. A repeat that comes meanwhile waits on the unique index and finds the answer.
 * A refusal for which `answerTo` gives an answer is kept too: the effect is undone, and then the answer made. Where it gives undefined, everything is rolled back and the refusal thrown on.
 * A change has its audit row in the same transaction: the one the effect wrote, or what `auditOf` says of it.
 */
export function answerOnce(
  db: Db,
  command: CommandIdentity,
  effect: (tx: Transaction) => Promise<StoredAnswer>,
  { auditOf, answerTo, tellRefused }: { auditOf: (answer: StoredAnswer) => AuditEntry; answerTo?: AnswerTo; tellRefused?: (tx: Transaction, answer: StoredAnswer) => Promise<void> },
): Promise<Outcome> {
  return db.transaction(async (tx) => {
    if (!(await insert(tx, command))) return { fresh: false, first: await findCommand(tx, command) }
    underCommand(tx, command.commandId)
    const answer = answerTo ? await inSavepoint(tx, effect, answerTo) : await effect(tx)
    await keepAnswer(tx, command.commandId, answer, answer.status < 400 && !isAudited(tx) ? auditOf(answer) : undefined)
    if (answer.status >= 400) await tellRefused?.(tx, answer)
    return { fresh: true, answer }
  })
}

type AnswerTo = (error: unknown) => ((tx: Transaction) => Promise<StoredAnswer>) | undefined

async function inSavepoint(
  tx: Transaction,
  effect: (tx: Transaction) => Promise<StoredAnswer>,
  answerTo: AnswerTo,
): Promise<StoredAnswer> {
  await tx.raw('SAVEPOINT effect')
  try {
    return await effect(tx)
  } catch (error) {
    const answer = answerTo(error)
    if (!answer) throw error
    await tx.raw('ROLLBACK TO SAVEPOINT effect')
    return await answer(tx)
  }
}

/** What is to be asked of the order's workflow, kept so that anyone can send it again. */
export interface Asked {
  orderId: string
  update: string
  args: object
}

/** Records a command before it is sent, leased to the caller. @returns false when it was recorded before. */
export const recordCommand = (db: Db, command: CommandIdentity, asked: Asked, leaseMs: number): Promise<boolean> => insert(db, command, asked, leaseMs)

/** Records a command that was refused before anything was sent. @returns false when it was recorded before. */
export const recordRefused = (db: Db, command: CommandIdentity, answer: StoredAnswer, tell: (tx: Transaction) => Promise<void>): Promise<boolean> =>
  db.transaction(async (tx) => {
    const fresh = await insert(tx, command)
    if (fresh) await keepAnswer(tx, command.commandId, answer)
    if (fresh) await tell(tx)
    return fresh
  })

async function insert(db: Db | Transaction, command: CommandIdentity, asked?: Asked, leaseMs = 0): Promise<boolean> {
  const inserted = await row(
    db,
    `INSERT INTO idempotency_keys (api_key_id, route, idempotency_key, body_hash, command_id, order_id, update_name, update_args, lease_until, attempts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, CASE WHEN ? > 0 THEN now() + ? * interval '1 millisecond' END, ?) ON CONFLICT DO NOTHING RETURNING command_id`,
    [
      command.apiKeyId, command.route, command.idempotencyKey, command.bodyHash, command.commandId,
      asked?.orderId ?? null, asked?.update ?? null, asked ? JSON.stringify(asked.args) : null, leaseMs, leaseMs, asked ? 1 : 0,
    ],
  )
  return inserted !== undefined
}

/** The answer is kept as JSON text inside jsonb, so that a replay gives it back with its fields in the order they had. The first answer stands. */
export async function keepAnswer(db: Db | Transaction, commandId: string, answer: StoredAnswer, audit?: AuditEntry): Promise<void> {
  await run(
    db,
    `${audit ? 'WITH audited AS (INSERT INTO audit (actor, action, subject, cause, command_id) VALUES (?, ?, ?, ?, ?))' : ''}
     UPDATE idempotency_keys SET answered_at = now(), answer_status = ?, answer = to_jsonb(?::text), answer_headers = ?::jsonb, lease_until = NULL
     WHERE command_id = ? AND answered_at IS NULL`,
    [...(audit ? [audit.actor, audit.action, audit.subject, audit.cause, commandId] : []), answer.status, JSON.stringify(answer.body), answer.headers ? JSON.stringify(answer.headers) : null, commandId],
  )
}

const columns = `command_id AS "commandId", route, body_hash AS "bodyHash", order_id AS "orderId", update_name AS "updateName", update_args AS "updateArgs",
  coalesce(lease_until > now(), false) AS leased, answer_status AS "answerStatus", answer #>> '{}' AS "answerText", answer_headers AS "answerHeaders"`

interface RawRow extends Omit<CommandRow, 'answer'> {
  answerStatus: number | null
  answerText: string | null
  answerHeaders: Record<string, string> | null
}

const fromRow = ({ answerStatus, answerText, answerHeaders, ...rest }: RawRow): CommandRow => ({
  ...rest,
  answer: answerStatus === null || answerText === null ? null : { status: answerStatus, body: JSON.parse(answerText) as unknown, ...(answerHeaders && { headers: answerHeaders }) },
})

export async function findCommand(db: Db | Transaction, command: CommandIdentity): Promise<CommandRow | undefined> {
  const found = await row<RawRow>(db, `SELECT ${columns} FROM idempotency_keys WHERE api_key_id = ? AND route = ? AND idempotency_key = ?`, [
    command.apiKeyId,
    command.route,
    command.idempotencyKey,
  ])
  return found && fromRow(found)
}

/** Takes over a command whose lease has ended without an answer. @returns false when somebody else was quicker. */
export async function takeLease(db: Db, commandId: string, leaseMs: number): Promise<boolean> {
  const taken = await row(
    db,
    `UPDATE idempotency_keys SET lease_until = now() + ? * interval '1 millisecond', attempts = attempts + 1
     WHERE command_id = ? AND answered_at IS NULL AND lease_until < now() RETURNING command_id`,
    [leaseMs, commandId],
  )
  return taken !== undefined
}

/** Takes up to `limit` commands that nobody is waiting for any more, longest waiting first. */
export async function leaseUnanswered(db: Db, limit: number, leaseMs: number): Promise<CommandRow[]> {
  const taken = await rows<RawRow>(
    db,
    `UPDATE idempotency_keys SET lease_until = now() + ? * interval '1 millisecond', attempts = attempts + 1
     WHERE command_id IN (SELECT command_id FROM idempotency_keys WHERE answered_at IS NULL AND update_name IS NOT NULL AND lease_until < now()
                          ORDER BY lease_until LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING ${columns}`,
    [leaseMs, limit],
  )
  return taken.map(fromRow)
}
