/** Answers that are kept for repeats, without the person: whoever repeats a command still hears what was done, and nothing of whom for. */
import { rows, run, type Transaction } from '../connection'

/** Where answers speak of a person, at whatever depth. */
const personal = new Set(['customer', 'customerName', 'shipTo', 'billTo', 'address', 'to', 'proof', 'firstName', 'phone', 'email', 'latitude', 'longitude', 'reason', 'note'])

export function withoutPerson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPerson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !personal.has(name)).map(([name, inner]) => [name, withoutPerson(inner)]))
}

/** Commands are found by their audit row, whose subject is the order or something of it; a run's answers name all of its doors. */
const answersOf = `
  WITH subjects AS (
    SELECT unnest(:orders::uuid[])::text AS id
    UNION SELECT fulfillment_id::text FROM fulfillments WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT draft_id::text FROM drafts WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT return_id::text FROM returns WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT change_id::text FROM order_changes WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT run_id::text FROM stops WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT stop_id::text FROM stops WHERE order_id = ANY(:orders::uuid[])
    UNION SELECT exception_id::text FROM exceptions WHERE order_id = ANY(:orders::uuid[]))
  SELECT command_id AS "commandId", update_args AS args, answer #>> '{}' AS answer FROM idempotency_keys
  WHERE answered_at IS NOT NULL AND (order_id = ANY(:orders::uuid[]) OR command_id IN (SELECT command_id FROM audit JOIN subjects ON subject = id WHERE command_id IS NOT NULL))`

/** Of drafts that became no order. */
const answersOfDrafts = `SELECT command_id AS "commandId", update_args AS args, answer #>> '{}' AS answer FROM idempotency_keys
  WHERE answered_at IS NOT NULL AND command_id IN (SELECT command_id FROM audit WHERE subject = ANY(:drafts::text[]) AND command_id IS NOT NULL)`

/** @returns how many had something of her */
export const eraseAnswers = async (tx: Transaction, orders: readonly string[]): Promise<number> => strip(tx, await rows<KeptAnswer>(tx, answersOf, { orders: [...orders] }))

/** @returns how many had something of her */
export const eraseDraftAnswers = async (tx: Transaction, drafts: readonly string[]): Promise<number> => strip(tx, await rows<KeptAnswer>(tx, answersOfDrafts, { drafts: [...drafts] }))

interface KeptAnswer {
  commandId: string
  args: object | null
  answer: string | null
}

async function strip(tx: Transaction, found: readonly KeptAnswer[]): Promise<number> {
  let changed = 0
  for (const { commandId, args, answer } of found) {
    const left = answer === null ? null : JSON.stringify(withoutPerson(JSON.parse(answer)))
    if (left === answer && args === null) continue
    changed++
    await run(tx, 'UPDATE idempotency_keys SET update_args = NULL, answer = to_jsonb(?::text) WHERE command_id = ?', [left, commandId])
  }
  return changed
}
