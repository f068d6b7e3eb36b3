/**
 * Buys the label of what comes back by mail: the cheapest of those who sell any, recorded, called, recorded again; looked up where nobody knows whether it was
 * bought. Gives it back where nobody uses it, and claims what was lost on its way.
 */
import { admissions, recordFault, recordSuccess } from '../db/carrier-health'
import type { Db } from '../db/connection'
import {
  beginReturnLabelCall, goWithoutLabel, intendReturnLabel, refuseReturnLabel, returnClaimJob, returnLabelGivenBack, returnLabelJob, saveReturnClaim, saveReturnLabel, unusedReturnLabel,
  type ReturnLabelJob, type ReturnLabelOperation,
} from '../db/return-labels'
import { invariant } from '../domain/invariant'
import { CarrierRefusal, ProviderFault, type BuyLabel, type Carrier, type Label } from './ports'

export type ReturnLabelOutcome = { outcome: 'bought'; carrier: string; trackingNumber: string } | { outcome: 'none'; code: string } | { outcome: 'ended' }

export function createReturnLabels(db: Db, carriers: readonly Carrier[]) {
  const carrierOf = (id: string): Carrier => {
    const found = carriers.find((c) => c.carrier === id)
    invariant(found, `carrier ${id} is connected`)
    return found
  }
  return {
    /** Buys the label of a return; what was bought by an earlier attempt is found again by its reference. A return that nobody sells one for goes without. */
    buyReturnLabel: async ({ returnId }: { returnId: string }): Promise<ReturnLabelOutcome> => {
      for (;;) {
        const job = await returnLabelJob(db, returnId)
        if (job.bought) return { outcome: 'bought', ...job.bought }
        if (job.ended && !job.standing) return { outcome: 'ended' }
        const operation = job.standing ?? (await intend(db, carriers, returnId, job))
        if (operation && 'code' in operation) return { outcome: 'none', code: operation.code }
        if (operation) await buy(db, carrierOf(operation.carrier), { returnId, job, operation })
      }
    },

    /** Gives back the label of a return that comes no more, or another way. What the carrier has scanned, or does not take back, is used. */
    giveBackReturnLabel: async ({ returnId }: { returnId: string }): Promise<void> => {
      const unused = await unusedReturnLabel(db, returnId)
      if (!unused) return
      const carrier = carrierOf(unused.carrier)
      const bought = await carrier.findLabel(unused.operationId)
      try {
        if (bought) await carrier.voidLabel(bought.trackingNumber)
      } catch (cause) {
        if (cause instanceof CarrierRefusal) return
        throw cause
      }
      await db.transaction((tx) => returnLabelGivenBack(tx, returnId, unused, bought?.trackingNumber))
    },

    /** Asks the carrier for compensation for what it lost on its way back; it knows the claim by our reference. */
    claimReturn: async ({ claimId }: { claimId: string }): Promise<void> => {
      const job = await returnClaimJob(db, claimId)
      if (job.claimReference !== null) return
      const { trackingNumber, amountMinor, currency } = job
      const { claimReference } = await carrierOf(job.carrier).claim({ reference: claimId, trackingNumber, reason: 'lost', amountMinor, currency })
      await db.transaction((tx) => saveReturnClaim(tx, claimId, claimReference, job))
    },
  }
}

interface NoLabel {
  code: 'no_address' | 'no_carrier'
  says: string
}

/** @returns undefined where the return has ended, or another try stands meanwhile: look again */
async function intend(db: Db, carriers: readonly Carrier[], returnId: string, job: ReturnLabelJob): Promise<ReturnLabelOperation | NoLabel | undefined> {
  const chosen = await choose(db, carriers, job)
  return db.transaction(async (tx) => {
    if (!('code' in chosen)) return intendReturnLabel(tx, returnId, { ...chosen, nodeId: job.to!.nodeId, weightGrams: job.weightGrams })
    await goWithoutLabel(tx, returnId, chosen)
    return chosen
  })
}

/** The cheapest of those who sell labels for what comes back, are well, and have not refused this one. */
async function choose(db: Db, carriers: readonly Carrier[], job: ReturnLabelJob): Promise<{ carrier: string; service: string } | NoLabel> {
  if (!job.from || !job.to) return { code: 'no_address', says: 'Nobody knows where it would be sent from: send it as you like, or bring it to a counter' }
  const admitted = await admissions(db, Date.now())
  const offers = (await Promise.all(carriers.map((carrier) => offersOf(carrier, job)))).flat()
  const open = offers.filter((o) => o.currency === job.currency && !job.refused.some((r) => r.carrier === o.carrier && r.service === o.service))
  const well = open.filter((o) => admitted.get(o.carrier) !== 'fenced')
  const [best] = (well.length ? well : open).sort((a, b) => a.priceMinor - b.priceMinor)
  return best ?? { code: 'no_carrier', says: 'No carrier sells a label for it: send it as you like, or bring it to a counter' }
}

async function offersOf(carrier: Carrier, job: ReturnLabelJob): Promise<{ carrier: string; service: string; priceMinor: number; currency: string }[]> {
  const sold = carrier.services().filter((s) => s.returns).map((s) => s.service)
  if (sold.length === 0) return []
  const rates = await carrier.rate({ ...ends(job), parcels: [{ weightGrams: job.weightGrams }], isReturn: true })
  return rates.flatMap((rate) => (rate.refused || !sold.includes(rate.service) ? [] : [{ carrier: carrier.carrier, service: rate.service, priceMinor: rate.priceMinor, currency: rate.currency }]))
}

const ends = ({ from, to }: ReturnLabelJob): Pick<BuyLabel, 'from' | 'to'> => ({ from: { country: to!.country, ...from }, to: { ...to!.address, name: to!.name, country: to!.country } })

async function buy(db: Db, carrier: Carrier, { returnId, job, operation }: { returnId: string; job: ReturnLabelJob; operation: ReturnLabelOperation }): Promise<void> {
  const { operationId, service } = operation
  if (!(await beginReturnLabelCall(db, operationId))) throw new ProviderFault('the label is bought elsewhere meanwhile', 'none')
  try {
    const label = await bought(db, carrier, { reference: operationId, service, weightGrams: job.weightGrams, ...ends(job), isReturn: true })
    await db.transaction((tx) => saveReturnLabel(tx, returnId, operation, label))
  } catch (cause) {
    if (!(cause instanceof CarrierRefusal)) throw cause
    await refuseReturnLabel(db, operationId, cause.message)
  }
}

/** One call; after one that may have happened all the same, a look whether it has. Every answer and every silence is held for or against the carrier. */
async function bought(db: Db, carrier: Carrier, ask: BuyLabel): Promise<Label> {
  try {
    const label = await carrier.buyLabel(ask).catch(async (cause: unknown) => {
      const found = cause instanceof ProviderFault && cause.effect === 'unknown' ? await carrier.findLabel(ask.reference).catch(() => undefined) : undefined
      if (!found) throw cause
      return found
    })
    await recordSuccess(db, carrier.carrier)
    return label
  } catch (cause) {
    if (cause instanceof ProviderFault) await recordFault(db, carrier.carrier, Date.now(), cause.message)
    throw cause
  }
}
