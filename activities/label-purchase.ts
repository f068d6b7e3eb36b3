/**
 * Buys the labels of a fulfillment: chooses, records, calls, records again. A carrier that fails is tried again under the same reference until its circuit
 * breaker opens; one that refuses is not. Then the next best has it, and what the first may have sold is given back.
 */
import { admissions, recordFault, recordSuccess, takeProbe } from '../db/carrier-health'
import type { Db } from '../db/connection'
import { beginLabelCall, purchaseJob, recordChoice, refuseLabel, TooLateToChoose, type LabelOperation, type PurchaseJob } from '../db/label-purchase'
import { saveLabels, type BoughtLabel } from '../db/shipments'
import type { Choice, NoBid } from '../domain/delivery/choice'
import { invariant } from '../domain/invariant'
import type { WaitingOn } from '../domain/order/status'
import { refuse } from '../domain/refusals'
import { choose, parcelOf, receiverOf, senderOf } from './carrier-choice'
import { CarrierRefusal, ProviderFault, type BuyLabel, type Carrier, type Label } from './ports'
import { createTransitDesk } from './transit-desk'

export interface LabelOutcome {
  carrier: string
  service: string
  trackingNumbers: string[]
  /** Another carrier may have sold labels that are not used: they are to be given back. */
  strays?: true
}

export function createLabelPurchase(db: Db, carriers: readonly Carrier[]): (fulfillmentId: string, then: WaitingOn) => Promise<LabelOutcome> {
  const desk = createTransitDesk({ db, carriers, onTrouble: () => undefined })
  const carrierOf = (id: string): Carrier => {
    const found = carriers.find((c) => c.carrier === id)
    invariant(found, `carrier ${id} is connected`)
    return found
  }

  /** What was chosen before, unless its carrier has been fenced off since; else the best of now. */
  const operationsOf = async (fulfillmentId: string, job: PurchaseJob): Promise<LabelOperation[]> => {
    const standing = job.operations.length === job.packages.length ? job.operations : []
    const choice = await choose({ db, carriers, desk }, job)
    if (standing.length > 0 && isStillGood(standing, choice, await admissions(db, Date.now()))) return standing
    const chosen = await admittedChoice(job, choice)
    return db.transaction((tx) => recordChoice(tx, fulfillmentId, chosen))
  }

  /** A carrier that has cooled down is tried by one order at a time; the others take the next best. */
  const admittedChoice = async (job: PurchaseJob, choice: Choice, busy: readonly NoBid[] = []): Promise<Choice> => {
    const { chosen, others } = choice
    if (!chosen) throw new CarrierRefusal(`no carrier takes it: ${others.map((o) => `${o.carrier} ${o.service}: ${o.says}`).join('; ')}`)
    const now = Date.now()
    if ((await admissions(db, now)).get(chosen.carrier) !== 'probe' || (await takeProbe(db, chosen.carrier, now))) return choice
    const why = { code: 'fenced', says: 'The carrier is tried again by another order' }
    const without = [...busy, ...carrierOf(chosen.carrier).services().map(({ service }) => ({ carrier: chosen.carrier, service, why }))]
    return admittedChoice(job, await choose({ db, carriers, desk }, job, without), without)
  }

  const buyer: Buyer = { db, carrierOf }
  return async (fulfillmentId, then) => {
    for (;;) {
      const job = await purchaseJob(db, fulfillmentId)
      if (job.bought) return { ...job.bought, ...(job.strays > 0 && { strays: true }) }
      if (job.status !== 'packed') throw refuse('fulfillment.state', { state: job.status, allowedActions: [] })
      const labels = await operationsOf(fulfillmentId, job).then((operations) => buyAll(buyer, job, operations), again)
      if (labels === 'refused' || labels === 'again') continue
      if (await db.transaction((tx) => saveLabels(tx, fulfillmentId, labels, then))) continue
      for (const { carrier, trackingNumber } of labels) await carrierOf(carrier).voidLabel(trackingNumber)
      throw new ProviderFault('the labels were bought after their purchase was given up', 'none')
    }
  }
}

interface Buyer {
  db: Db
  carrierOf: (carrier: string) => Carrier
}

async function buy({ db, carrierOf }: Buyer, job: PurchaseJob, operation: LabelOperation): Promise<BoughtLabel> {
  const carrier = carrierOf(operation.carrier)
  const box = job.packages.find((p) => p.packageId === operation.packageId)!
  if (!(await beginLabelCall(db, operation.operationId))) throw new ProviderFault('the label is bought elsewhere meanwhile', 'none')
  const ask = { reference: operation.operationId, service: operation.service, ...parcelOf(box), from: senderOf(job), to: receiverOf(job) }
  const { trackingNumber, ...label } = await bought(db, carrier, ask)
  return { packageId: box.packageId, operationId: operation.operationId, carrier: carrier.carrier, service: operation.service, trackingNumber, label }
}

/** One call; after one that may have happened all the same, a look whether it has. Every answer and every silence is held for or against the carrier. */
async function bought(db: Db, carrier: Carrier, ask: BuyLabel): Promise<Label> {
  try {
    const label = await carrier.buyLabel(ask).catch((cause: unknown) => foundAfter(carrier, ask.reference, cause))
    await recordSuccess(db, carrier.carrier)
    return label
  } catch (cause) {
    if (cause instanceof ProviderFault) await recordFault(db, carrier.carrier, Date.now(), cause.message)
    throw cause
  }
}

/** All labels of one choice, or none of them counts. */
async function buyAll(buyer: Buyer, job: PurchaseJob, operations: readonly LabelOperation[]): Promise<BoughtLabel[] | 'refused'> {
  const labels: BoughtLabel[] = []
  for (const operation of operations) {
    try {
      labels.push(await buy(buyer, job, operation))
    } catch (cause) {
      if (!(cause instanceof CarrierRefusal)) throw cause
      await refuseLabel(buyer.db, operation.operationId, cause.message)
      return 'refused'
    }
  }
  return labels
}

/** Somebody else has bought meanwhile: the rows say what. */
function again(cause: unknown): 'again' {
  if (cause instanceof TooLateToChoose) return 'again'
  throw cause
}

const foundAfter = async (carrier: Carrier, reference: string, cause: unknown): Promise<Label> => {
  if (!(cause instanceof ProviderFault) || cause.effect !== 'unknown') throw cause
  const found = await carrier.findLabel(reference).catch(() => undefined)
  if (!found) throw cause
  return found
}

/** It stands unless its carrier is fenced off or does not take it any more, and somebody else would. What has been called for is not given up for a better price. */
function isStillGood(standing: readonly LabelOperation[], choice: Choice, admitted: Awaited<ReturnType<typeof admissions>>): boolean {
  const { carrier, service } = standing[0]!
  if (choice.chosen?.carrier === carrier && choice.chosen.service === service) return true
  return standing.some((o) => o.called) && admitted.get(carrier) !== 'fenced' && choice.others.some((o) => o.carrier === carrier && o.service === service && o.lost !== 'not_offered')
}
