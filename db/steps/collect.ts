/** The customer has what she came for: proven by her code or a document, off the books, and the captures recorded that take the money. */
import { judgeProof, mostPickupTries } from '../../domain/fulfillment/collection'
import type { Collect, FulfillmentAnswer, Gone } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { invariant } from '../../domain/invariant'
import { refuse } from '../../domain/refusals'
import type { Transaction } from '../connection'
import { record, type OrderEvent } from '../events'
import { lockWork, refusedMove, saveWorkLines, workLines, type FulfillmentRow } from '../fulfillments'
import { refuseIfHeld } from '../holds'
import { setPartWait, type OrderRow } from '../orders'
import { intendCaptures, mayShip, needsRemainder } from '../part-payments'
import { acceptProof, countWrongCode, dropProof, pickupOf, proofOf } from '../pickups'
import { arrive } from '../shipments'
import { ship } from '../stock'

export interface GivenAway extends FulfillmentAnswer, Gone {
  outcome: 'given'
}
/** The code was wrong; that it was tried is kept. */
export interface NotProven {
  outcome: 'not proven'
  triesLeft: number
}

/** @throws `fulfillment.state`, `order.held`, `order.not_authorized` */
export async function collect(tx: Transaction, ask: Collect & { ifCapture: WaitingOn }): Promise<GivenAway | NotProven> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  if (fulfillment.status !== 'ready') throw refusedMove(fulfillment)
  await refuseIfHeld(tx, order, 'shipping')
  const proof = await proofOf(tx, ask.proofId, ask.fulfillmentId)
  invariant(proof, `proof ${ask.proofId} was kept before the order was asked`)
  const verdict = judgeProof(proof, await pickupOf(tx, ask.fulfillmentId))
  if (verdict !== 'proven') {
    await dropProof(tx, ask.proofId)
    return { outcome: 'not proven', triesLeft: verdict === 'no more tries' ? 0 : mostPickupTries - (await countWrongCode(tx, ask.fulfillmentId)) }
  }
  await acceptProof(tx, ask.fulfillmentId, ask.proofId)
  const data = { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, proof: proof.idChecked ? 'identity document' : 'code' }
  return giveAway(tx, { order, fulfillment, ...ask }, { type: 'fulfillment.collected', actor: ask.actor, data })
}

/** At a till the customer has the goods in her hands: picked, given and off the books at once. @throws `fulfillment.state`, `order.held`, `order.not_authorized` */
export async function carryOut(tx: Transaction, ask: { fulfillmentId: string; actor: string; ifCapture: WaitingOn }): Promise<GivenAway> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  if (fulfillment.method !== 'carry_out' || fulfillment.status !== 'released') throw refusedMove(fulfillment)
  for (const stopped of ['picking', 'shipping'] as const) await refuseIfHeld(tx, order, stopped)
  await saveWorkLines(tx, ask.fulfillmentId, (await workLines(tx, ask.fulfillmentId)).map((l) => ({ ...l, picked: l.quantity })))
  return giveAway(tx, { order, fulfillment, ...ask }, { type: 'fulfillment.collected', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, proof: 'carried out' } })
}

interface Giving {
  order: OrderRow
  fulfillment: FulfillmentRow
  actor: string
  ifCapture: WaitingOn
}

async function giveAway(tx: Transaction, { order, fulfillment, actor, ifCapture }: Giving, told: OrderEvent): Promise<GivenAway> {
  const { orderId } = order
  const { fulfillmentId, nodeId } = fulfillment
  if (!(await mayShip(tx, orderId, fulfillmentId))) throw refuse('order.not_authorized')
  const at = new Date().toISOString()
  await ship(tx, { orderId, fulfillmentId, nodeId, actor })
  const gone = await goesAway(tx, orderId, fulfillmentId, at)
  await record(tx, order, told)
  await setPartWait(tx, fulfillmentId, gone.captures.length ? ifCapture : { what: 'delivery', since: at, deadline: null })
  await arrive(tx, order, { fulfillmentId, to: 'collected', at })
  return { outcome: 'given', fulfillmentId, status: 'collected', ...gone }
}

/** What the part is worth is to be taken, by the holds that pay for it; to be called once its stock has left. */
export async function goesAway(tx: Transaction, orderId: string, fulfillmentId: string, at: string): Promise<Gone> {
  const { captures, last, voids } = await intendCaptures(tx, orderId, fulfillmentId)
  const remainder = !last && (await needsRemainder(tx, orderId))
  return { at, captures: captures.map((c) => c.operationId), capturesMinor: captures.map((c) => c.amountMinor), ...(remainder ? { remainder } : {}), ...(voids.length > 0 && { voids }) }
}
