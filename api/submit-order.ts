/** An order document of our own shape becomes an order: what a single submit and a file of many share. */
import canonicalize from 'canonicalize'
import type { PlanPromise } from '../activities/promise-desk'
import type { Transaction } from '../db/connection'
import { acceptedBefore, type Accepted, type Intake, type PaidAhead } from '../db/intake'
import { placeOrder } from '../db/place-order'
import { activePolicies } from '../db/policies'
import type { PlanMode } from '../db/race'
import type { SubmittedOrder } from '../domain/order/new-order'
import { takeUp, type TakenUp } from './delivery-options'
import type { RouteDeps } from './deps'
import type { NewOrderBody } from './schemas/order'

export type SubmitDeps = Pick<RouteDeps, 'quotes' | 'services'> & { config: Pick<RouteDeps['config'], 'CUSTOMER_REF_SECRET'> }

export interface Submission {
  body: NewOrderBody
  actor: string
  /** Of the channel's plans, from `promises.forPlans`: asked for before the transaction begins. */
  promise: PlanPromise
  /** Its money came before it. */
  paidAhead?: PaidAhead
}

/** @throws what `placeOrder` and `takeUp` throw; QuoteGone; LostRace in hopeful mode */
export async function submitDocument(tx: Transaction, deps: SubmitDeps, { body, actor, promise, paidAhead }: Submission, mode: PlanMode): Promise<Accepted> {
  const canonicalBody = canonicalize(body) ?? ''
  const first = 'quoteId' in body.delivery ? await acceptedBefore(tx, body, canonicalBody) : undefined
  if (first) return first
  const { documents, versions } = await activePolicies(tx)
  const taken = 'quoteId' in body.delivery ? await takeUp(deps.quotes, body.delivery, body) : undefined
  const placing = {
    order: submitted(body, taken),
    ...promising(promise, body, taken),
    canonicalBody,
    actor,
    now: new Date().toISOString(),
    policies: { ...documents, versions },
    customerRefSecret: deps.config.CUSTOMER_REF_SECRET,
    services: deps.services,
    ...(paidAhead && { paidAhead }),
  }
  return placeOrder(tx, placing, mode)
}

/** The document with what its quote stands for. */
function submitted(body: NewOrderBody, taken: TakenUp | undefined): SubmittedOrder {
  const { delivery } = body
  if ('method' in delivery) return { ...body, delivery }
  const { method, service, nodeId } = taken!.option
  return { ...body, delivery: { method, ...(travels(method) && { service }), ...(nodeId !== undefined && { nodeId }) } }
}

/** By a carrier, to the customer or to the store where she fetches it. */
const travels = (method: string): boolean => method === 'delivery' || method === 'ship_to_store'

/** What an accepted order is promised: the quoted date, or the one that the nodes chosen for it can keep. */
function promising(promise: PlanPromise, body: NewOrderBody, taken: TakenUp | undefined): Pick<Intake, 'quote' | 'promiseFor'> {
  const { method, nodeId, service } = taken?.option ?? (body.delivery as { method: string; nodeId?: string; service?: string })
  const { country = '', postalCode = '' } = body.shipTo ?? {}
  return {
    promiseFor: (shipments, policies) => promise({ method, nodeId, ...(travels(method) && { service }), ...(country !== '' && { destination: { country, postalCode } }), shipments, policies }, Date.now()),
    ...(taken && { quote: { id: taken.quote.id, promise: { promisedFrom: taken.option.promisedFrom, promisedBy: taken.option.promisedBy, confidence: taken.option.confidence } } }),
  }
}
