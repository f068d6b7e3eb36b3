/**
 * Gift cards and store credit: what is on an account, what orders hold of it, and every move of it. A payment of an order has one hold here, named by the payment's id;
 * each function may be called again for the same operation and then only says how things stand. Under the hold's lock, then the account's.
 */
import { createHash, createHmac } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { StoredValue } from '../domain/payment/stored-value'
import { invariant } from '../domain/invariant'
import { issueJournal } from '../domain/payment/ledger'
import { row, rows, run, type Db, type Transaction } from './connection'
import { postAll } from './ledger'

export interface ValueAccount {
  accountId: string
  kind: StoredValue
  currency: string
  /** The last characters of a gift card's code. */
  codeEnd: string | null
  balanceMinor: number
  heldMinor: number
  expiresAt: string | null
}

const accountColumns = `account_id AS "accountId", kind, currency, code_end AS "codeEnd", balance_minor AS "balanceMinor", held_minor AS "heldMinor", expires_at AS "expiresAt"`

/** Letters and digits that nobody confuses, 32 of them: sixteen are 80 bits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** The code of a new card, from a secret and what asks for it: asked again it is the same, and it is kept nowhere. */
export function giftCardCode(secret: string, asking: string): string {
  const digest = createHmac('sha256', secret).update(`gift card ${asking}`).digest()
  const code = [...digest.subarray(0, 16)].map((byte) => alphabet[byte % alphabet.length]).join('')
  return code.match(/.{4}/g)!.join('-')
}

/** As people type it: without regard to case, spaces and dashes. */
const hashOf = (code: string): Buffer => createHash('sha256').update(code.toUpperCase().replace(/[^A-Z0-9]/g, '')).digest()

export const giftCardByCode = (db: Db | Transaction, code: string): Promise<ValueAccount | undefined> => row(db, `SELECT ${accountColumns} FROM value_accounts WHERE code_hash = ?`, [hashOf(code)])
export const storeCreditOf = (db: Db | Transaction, customerRefHmac: string, currency: string): Promise<ValueAccount | undefined> =>
  row(db, `SELECT ${accountColumns} FROM value_accounts WHERE customer_ref_hmac = ? AND currency = ?`, [customerRefHmac, currency])

export interface ValueMove {
  moveId: string
  kind: 'issued' | 'credited' | 'captured' | 'refunded'
  amountMinor: number
  actor: string
  reason: string | null
  at: string
}
export const movesOf = (db: Db | Transaction, accountId: string): Promise<ValueMove[]> =>
  rows(db, `SELECT move_id AS "moveId", kind, amount_minor AS "amountMinor", actor, reason, at FROM value_moves WHERE account_id = ? ORDER BY move_id DESC LIMIT 200`, [accountId])

export interface Issue {
  amountMinor: number
  /** Has a till or another system taken money for it, or is it given? */
  paidElsewhere: boolean
  reason: string
  actor: string
}

/** A new card. @returns undefined where the code is in use */
export async function issueGiftCard(tx: Transaction, { code, currency, expiresAt, ...issue }: Issue & { code: string; currency: string; expiresAt: string | null }): Promise<string | undefined> {
  const accountId = uuidv7()
  const opened = await row(
    tx,
    `INSERT INTO value_accounts (account_id, kind, currency, code_hash, code_end, expires_at) VALUES (?, 'gift_card', ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING account_id`,
    [accountId, currency, hashOf(code), code.replace(/[^A-Za-z0-9]/g, '').slice(-4), expiresAt],
  )
  if (!opened) return undefined
  await issueTo(tx, accountId, currency, issue)
  return accountId
}

/** More on a customer's account, which is opened by the first. @returns the account's id */
export async function issueStoreCredit(tx: Transaction, { customerRefHmac, currency, ...issue }: Issue & { customerRefHmac: string; currency: string }): Promise<string> {
  const accountId = await storeCreditAccount(tx, customerRefHmac, currency)
  await issueTo(tx, accountId, currency, issue)
  return accountId
}

async function storeCreditAccount(tx: Transaction, customerRefHmac: string, currency: string): Promise<string> {
  const account = await row<{ accountId: string }>(
    tx,
    `INSERT INTO value_accounts (account_id, kind, currency, customer_ref_hmac) VALUES (?, 'store_credit', ?, ?)
     ON CONFLICT (customer_ref_hmac, currency) DO UPDATE SET kind = excluded.kind RETURNING account_id AS "accountId"`,
    [uuidv7(), currency, customerRefHmac],
  )
  return account!.accountId
}

async function issueTo(tx: Transaction, accountId: string, currency: string, { amountMinor, paidElsewhere, reason, actor }: Issue): Promise<void> {
  const moveId = await move(tx, { accountId, kind: 'issued', amountMinor, actor, reason })
  const { kind } = (await row<{ kind: StoredValue }>(tx, 'SELECT kind FROM value_accounts WHERE account_id = ?', [accountId]))!
  await postAll(tx, [{ about: { orderId: null, paymentId: null, currency }, journal: issueJournal({ moveId, kind, amountMinor, paidElsewhere, reason }) }])
}

/** What would have been given back for an order is on its customer's account instead, once per operation where there is one; its journal is the caller's to post. */
export async function creditCustomer(tx: Transaction, { customerRefHmac, currency, ...credited }: { customerRefHmac: string; currency: string; amountMinor: number; operationId?: string; actor: string; reason: string }): Promise<void> {
  await move(tx, { accountId: await storeCreditAccount(tx, customerRefHmac, currency), kind: 'credited', ...credited })
}

interface Move {
  accountId: string
  kind: ValueMove['kind']
  amountMinor: number
  actor: string
  reason?: string
  reference?: string
  operationId?: string
}

async function move(tx: Transaction, { reference = null, operationId = null, reason = null, ...fields }: Omit<Move, 'reference' | 'operationId' | 'reason'> & { [K in 'reference' | 'operationId' | 'reason']?: string | null }): Promise<string> {
  const moveId = uuidv7()
  await run(tx, 'UPDATE value_accounts SET balance_minor = balance_minor + ? WHERE account_id = ?', [fields.amountMinor, fields.accountId])
  await run(tx, `INSERT INTO value_moves (move_id, account_id, kind, amount_minor, reference, operation_id, actor, reason) VALUES (:moveId, :accountId, :kind, :amountMinor, :reference, :operationId, :actor, :reason)`, { moveId, reference, operationId, reason, ...fields })
  return moveId
}

/** A payment's hold as it stands. */
export interface ValueHold {
  reference: string
  accountId: string | null
  amountMinor: number
  status: 'opened' | 'declined' | 'authorized' | 'captured' | 'voided'
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  declineCode: string | null
  /** By operation. */
  captures: Record<string, number>
}

const holdColumns = `reference, account_id AS "accountId", amount_minor AS "amountMinor", status, authorized_minor AS "authorizedMinor", captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor", decline_code AS "declineCode",
  (SELECT coalesce(jsonb_object_agg(operation_id, -m.amount_minor), '{}') FROM value_moves m WHERE m.reference = h.reference AND m.kind = 'captured') AS captures`

export const holdOf = (db: Db | Transaction, reference: string): Promise<ValueHold | undefined> => row(db, `SELECT ${holdColumns} FROM value_holds h WHERE reference = ?`, [reference])

async function lockHold(tx: Transaction, reference: string): Promise<ValueHold> {
  await run(tx, 'SELECT 1 FROM value_holds WHERE reference = ? FOR UPDATE', [reference])
  const hold = await holdOf(tx, reference)
  invariant(hold, `payment ${reference} was opened`)
  return hold
}

export async function openHold(tx: Transaction, { reference, currency, amountMinor }: { reference: string; currency: string; amountMinor: number }): Promise<void> {
  await run(tx, 'INSERT INTO value_holds (reference, currency, amount_minor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [reference, currency, amountMinor])
}

/** Holds it of the account, or says why not. */
export async function holdValue(tx: Transaction, { reference, accountId }: { reference: string; accountId: string }): Promise<ValueHold> {
  const hold = await lockHold(tx, reference)
  if (hold.status !== 'opened') return hold
  const held = await row(
    tx,
    `UPDATE value_accounts SET held_minor = held_minor + :amountMinor WHERE account_id = :accountId AND balance_minor - held_minor >= :amountMinor AND (expires_at IS NULL OR expires_at > now())
       AND currency = (SELECT currency FROM value_holds WHERE reference = :reference) RETURNING account_id`,
    { accountId, reference, amountMinor: hold.amountMinor },
  )
  if (held) await run(tx, `UPDATE value_holds SET status = 'authorized', authorized_minor = amount_minor, account_id = ? WHERE reference = ?`, [accountId, reference])
  else await run(tx, `UPDATE value_holds SET status = 'declined', decline_code = ? WHERE reference = ?`, [await whyNot(tx, accountId), reference])
  return (await holdOf(tx, reference))!
}

const whyNot = async (tx: Transaction, accountId: string): Promise<string> =>
  (await row<{ code: string }>(tx, `SELECT CASE WHEN expires_at <= now() THEN 'expired' ELSE 'insufficient_funds' END AS code FROM value_accounts WHERE account_id = ?`, [accountId]))?.code ?? 'unknown_account'

/** Takes of what is held; the final one lets go of the rest. */
export async function takeValue(tx: Transaction, { reference, operationId, amountMinor, final }: { reference: string; operationId: string; amountMinor: number; final: boolean }): Promise<ValueHold> {
  const hold = await lockHold(tx, reference)
  if (hold.status !== 'authorized' || Object.hasOwn(hold.captures, operationId)) return hold
  const heldMinor = hold.authorizedMinor - hold.capturedMinor
  invariant(amountMinor <= heldMinor, `${amountMinor} of payment ${reference} are held`)
  const over = final || amountMinor === heldMinor
  await run(tx, 'UPDATE value_accounts SET held_minor = held_minor - ? WHERE account_id = ?', [over ? heldMinor : amountMinor, hold.accountId])
  await move(tx, { accountId: hold.accountId!, kind: 'captured', amountMinor: -amountMinor, reference, operationId, actor: 'throughline' })
  await run(tx, `UPDATE value_holds SET captured_minor = captured_minor + ?, status = ? WHERE reference = ?`, [amountMinor, over ? 'captured' : 'authorized', reference])
  return (await holdOf(tx, reference))!
}

/** Lets go of what is held and not taken. */
export async function letGoOfValue(tx: Transaction, reference: string): Promise<ValueHold> {
  const hold = await lockHold(tx, reference)
  if (hold.status !== 'authorized' && hold.status !== 'opened') return hold
  await run(tx, 'UPDATE value_accounts SET held_minor = held_minor - ? WHERE account_id = ?', [hold.authorizedMinor - hold.capturedMinor, hold.accountId])
  await run(tx, 'UPDATE value_holds SET status = ? WHERE reference = ?', [hold.capturedMinor > 0 ? 'captured' : 'voided', reference])
  return (await holdOf(tx, reference))!
}

/** Puts what was taken back on its account, also when that has expired meanwhile. */
export async function giveValueBack(tx: Transaction, { reference, operationId, amountMinor }: { reference: string; operationId: string; amountMinor: number }): Promise<void> {
  const hold = await lockHold(tx, reference)
  if (await wasGivenBack(tx, operationId)) return
  await move(tx, { accountId: hold.accountId!, kind: 'refunded', amountMinor, reference, operationId, actor: 'throughline' })
  await run(tx, 'UPDATE value_holds SET refunded_minor = refunded_minor + ? WHERE reference = ?', [amountMinor, reference])
}

export const wasGivenBack = async (db: Db | Transaction, operationId: string): Promise<boolean> => (await row(db, `SELECT 1 FROM value_moves WHERE operation_id = ? AND kind = 'refunded'`, [operationId])) !== undefined
