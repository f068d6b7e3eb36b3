/** What a step would do, found out by doing it in a transaction that is always taken back: so what is said beforehand is what is done, to the cent, and nobody hears of it. */
import { row, type Db, type Transaction } from './connection'

/** @throws what the step is refused with */
export async function rehearse<Answer>(db: Db | Transaction, step: (tx: Transaction) => Promise<Answer>): Promise<Answer> {
  let answer: { is: Answer } | undefined
  await db
    .transaction(async (tx) => {
      answer = { is: await step(tx) }
      throw new TakenBack()
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof TakenBack)) throw cause
    })
  return answer!.is
}

class TakenBack extends Error {}

/** What a step gives back of what was taken. */
export interface GivenBack {
  /** By our provider, cards and accounts of ours. */
  refundMinor: number
  /** By the channel. */
  elsewhereMinor: number
  /** Given ahead by hand, and counted. */
  countedMinor: number
  /** Due, and no payment has it left. */
  owedMinor: number
}

/** Does the step, and says what it gave back. Under the order's lock. */
export async function givingBack<Answer>(tx: Transaction, orderId: string, step: () => Promise<Answer>): Promise<GivenBack & { answer: Answer }> {
  const before = await given(tx, orderId)
  const answer = await step()
  const now = await given(tx, orderId)
  const by = (what: keyof GivenBack): number => now[what] - before[what]
  return { answer, refundMinor: by('refundMinor'), elsewhereMinor: by('elsewhereMinor'), countedMinor: by('countedMinor'), owedMinor: by('owedMinor') }
}

const given = async (tx: Transaction, orderId: string): Promise<GivenBack> => (await row<GivenBack>(tx, givenSql, { orderId }))!

const givenSql = `
  SELECT ops.ours AS "refundMinor", ops.theirs AS "elsewhereMinor",
    (SELECT coalesce(sum(amount_minor), 0)::int8 FROM counted_goodwill WHERE order_id = :orderId) AS "countedMinor",
    (SELECT coalesce(sum((data->>'owedMinor')::int8), 0)::int8 FROM order_events WHERE order_id = :orderId AND type = 'refund.limited') AS "owedMinor"
  FROM (SELECT coalesce(sum(op.amount_minor) FILTER (WHERE p.provider <> 'paid_elsewhere'), 0)::int8 AS ours, coalesce(sum(op.amount_minor) FILTER (WHERE p.provider = 'paid_elsewhere'), 0)::int8 AS theirs
    FROM payment_operations op JOIN payments p USING (payment_id) WHERE op.order_id = :orderId AND op.kind = 'refund' AND op.status <> 'abandoned') ops`
