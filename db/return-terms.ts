/** The terms of a return as rows know them: which rule governs each line, what speaks against it, what was shown for it. */
import { uuidv7 } from 'uuidv7'
import { proofs, type ProofKind } from '../domain/policy/returns'
import { refuse, type Refusal } from '../domain/refusals'
import { objections, termsOf, type AskedLine, type LineTerms, type Objection } from '../domain/returns/terms'
import { row, rows, run, type Db, type Transaction } from './connection'
import type { OrderRow } from './orders'
import { arrivedAt } from './returns'

export type Proof = Partial<Record<ProofKind, string>>

/** What a customer shows, before it is judged: the command carries its id alone. */
export async function keepReturnProof(db: Db, orderId: string, proof: Proof): Promise<string> {
  const proofId = uuidv7()
  await run(db, 'INSERT INTO return_proofs (proof_id, order_id, proof) VALUES (?, ?, ?::jsonb)', [proofId, orderId, JSON.stringify(proof)])
  return proofId
}

/** `proof`: what is shown, where it is not kept yet. */
export interface Shown {
  proofId?: string
  proof?: Proof
}

export interface Judged {
  terms: LineTerms[]
  against: Objection[]
}

/** What the policy of the order says of these lines. @param lines of the order, which has them all */
export async function judge(tx: Transaction, order: OrderRow, lines: readonly { lineId: string; reason: string }[], shown: Shown): Promise<Judged> {
  const sold = await rows<Omit<AskedLine, 'reason'>>(tx, 'SELECT line_id AS "lineId", sku, category FROM order_lines JOIN skus USING (sku) WHERE order_id = ? AND line_id = ANY(?)', [order.orderId, lines.map((l) => l.lineId)])
  const asked = lines.flatMap(({ lineId, reason }) => sold.filter((l) => l.lineId === lineId).map((l) => ({ ...l, reason })))
  const terms = termsOf(order.policy.returns, order.channel, asked, await marksOf(tx, order))
  const proof = shown.proof ?? (shown.proofId === undefined ? {} : await keptProof(tx, order.orderId, shown.proofId))
  return { terms, against: objections(terms, { arrivedAt: await arrivedAt(tx, order.orderId), now: Date.now(), proofs: proofs.filter((kind) => proof[kind] !== undefined) }) }
}

/** Only asked for where a rule asks for them. */
async function marksOf(tx: Transaction, { orderId, policy }: OrderRow): Promise<readonly string[]> {
  if (!policy.returns.rules?.some((rule) => rule.flags)) return []
  return (await row<{ flags: string[] | null }>(tx, 'SELECT flags FROM orders WHERE order_id = ?', [orderId]))?.flags ?? []
}

const keptProof = async (tx: Transaction, orderId: string, proofId: string): Promise<Proof> =>
  (await row<{ proof: Proof }>(tx, 'SELECT proof FROM return_proofs WHERE proof_id = ? AND order_id = ?', [proofId, orderId]))?.proof ?? {}

/** How a customer hears of it. */
export function refusalOf(against: Objection): Refusal {
  const { by: _by, ...data } = against
  switch (data.rule) {
    case 'final_sale':
      return refuse('return.final_sale', { skus: data.skus })
    case 'window':
      return refuse('return.window_closed', { closedAt: data.closedAt, lineIds: data.lineIds })
    case 'reason':
      return refuse('return.reason_not_accepted', { lineId: data.lineId, given: data.reason, accepted: data.accepted })
    case 'proof':
      return refuse('return.proof_needed', { proof: data.proof, lineIds: data.lineIds })
  }
}
