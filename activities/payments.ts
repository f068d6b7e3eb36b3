/**
 * Money at the payment provider. The operation row is committed before the first call; every attempt uses the recorded key; an unknown
 * outcome is looked up before anything is tried again. A killed worker, a lost answer and a webhook that comes first all end in one effect.
 */
import type { WaitingOn } from '../domain/order/status'
import type { PaymentState } from '../domain/payment/view'
import type { Db } from '../db/connection'
import { captureHappened } from '../domain/payment/captures'
import { countNotGiven } from '../db/charged-back'
import { beginCall, settleRefund, spendKey } from '../db/payment-operations'
import { lockOrderOf } from '../db/orders'
import { applyView, isOpened, loadOperation, saveReference, type PaymentOperation } from '../db/payments'
import { returnedMinor } from '../db/failed-refunds'
import { Refusal } from '../domain/refusals'
import { owesUnwanted } from '../db/unwanted-money'
import { ProviderFault, type PaymentProvider, type ProviderView } from './ports'

/** A provider forgets keys after a day; an hour before that a key counts as old. */
const keyLifetimeMs = 23 * 3_600_000

export interface MoneyAsk {
  operationId: string
  /** What the order, or the part it is about, waits on when this is done, unless it was cancelled meanwhile. */
  then?: WaitingOn
  fulfillmentId?: string
}
export interface AuthorizeAsk extends MoneyAsk {
  /** What it waits on when the customer has to answer first. */
  ifPending?: WaitingOn
  /** What it waits on when a bank is under way with it. */
  ifProcessing?: WaitingOn
}
export interface MoneyOutcome {
  paymentId: string
  status: PaymentState
  declineCode?: string
  /** It came when nobody counted on it any more: it is given back by an operation that the order's workflow hears of. */
  unwanted?: true
}

/** The provider of a payment, by the name its tender has. */
export type ProviderOf = (name: string) => PaymentProvider

export function createPaymentActivities(db: Db, providerOf: ProviderOf) {
  return {
    /** Holds the money of one tender. @returns the payment's state: authorized, declined, or pending at the bank. */
    authorizePayment: async (ask: AuthorizeAsk): Promise<MoneyOutcome> => {
      const operation = await loadOperation(db, ask.operationId)
      const provider = providerOf(operation.payment.provider)
      if (isSettled(operation)) return saysAll(operation) ? alreadyKnown(db, operation, ask) : learnAll(db, provider, operation, ask)
      const opened = await openPayment(db, provider, operation)
      if (opened === undefined) return alreadyKnown(db, await loadOperation(db, ask.operationId), ask)
      return effect(db, ask, {
        ...opened,
        operation,
        provider,
        happened: (v) => v.status !== 'opened',
        call: (key) => provider.authorize({ reference: opened.reference, key, paymentMethod: operation.payment.paymentMethod ?? '', offSession: operation.payment.part !== 1 && !operation.payment.given }),
      })
    },

    /** Takes what is held for goods that left. The last capture of a hold ends it, so it waits for those before. */
    capturePayment: async (ask: MoneyAsk): Promise<MoneyOutcome> => {
      const operation = await loadOperation(db, ask.operationId)
      const provider = providerOf(operation.payment.provider)
      if (isSettled(operation)) return alreadyKnown(db, operation, ask)
      const { amountMinor, operationId, final } = operation
      if (final) capturesFirst(operation)
      const reference = operation.payment.reference!
      const happened = (view: ProviderView): boolean => captureHappened(view, operation)
      return effect(db, ask, { operation, reference, happened, provider, call: (key) => provider.capture({ reference, key, amountMinor, operationId, final }) })
    },

    /** Lets go of what is or may be held; a payment that never reached the provider is given up. What a bank has under way cannot be: the answer is `processing` then. */
    voidPayment: async (ask: MoneyAsk): Promise<MoneyOutcome> => {
      const operation = await loadOperation(db, ask.operationId)
      const provider = providerOf(operation.payment.provider)
      if (isSettled(operation)) return alreadyKnown(db, operation, ask)
      const { reference, capturedMinor } = operation.payment
      if (reference === null) return giveUp(db, operation)
      capturesFirst(operation)
      const happened = (view: ProviderView): boolean => view.status === 'voided' || view.status === 'captured' || view.status === 'processing'
      return effect(db, ask, { operation, reference, happened, provider, call: (key) => provider.void({ reference, key, partlyCaptured: capturedMinor > 0 }) })
    },

    /** Gives captured money back, once per operation: a refund whose outcome is unknown is looked for among the provider's own before it is asked for again. */
    refundPayment: async (ask: MoneyAsk): Promise<MoneyOutcome> => {
      const operation = await loadOperation(db, ask.operationId)
      const provider = providerOf(operation.payment.provider)
      if (isSettled(operation)) return alreadyKnown(db, operation, ask)
      const { operationId, payment } = operation
      const reference = payment.reference!
      const given = operation.status === 'unknown' ? await provider.findRefund({ reference, operationId }) : undefined
      if (!given) {
        const due = operation.status === 'unknown' && (await countNotGiven(db, operation)) ? await loadOperation(db, operationId) : operation
        if (payment.capturedMinor - payment.refundedMinor < due.amountMinor) throw new ProviderFault('refund: what is to be given back has not been taken yet', 'none')
        const begun = await beginCall(db, operationId, needsNextKey(due)).catch(notWhileDisputed)
        if (begun === undefined) return alreadyKnown(db, await loadOperation(db, operationId), ask)
        const { keyNumber, amountMinor } = begun
        await rememberingSpentKeys(db, operationId, () => provider.refund({ reference, key: `${operationId}:${keyNumber}`, amountMinor, operationId }))
      }
      const view = await provider.lookUp(reference)
      return db.transaction(async (tx) => {
        const { view: merged } = await applyView(tx, operation.paymentId, { ...view, refundedMinor: view.refundedMinor + (await returnedMinor(tx, operation.paymentId)) }, ask.then && { waitingOn: ask.then, fulfillmentId: ask.fulfillmentId })
        await settleRefund(tx, operationId)
        return { paymentId: operation.paymentId, status: merged.status }
      })
    },
  }
}

const isSettled = (operation: PaymentOperation): boolean => operation.status !== 'intended' && operation.status !== 'unknown'

/** What ends a hold takes the rest of it out of reach: not while a capture is still to be made. @throws ProviderFault, so that it is tried again */
function capturesFirst({ capturesOpen, kind }: PaymentOperation): void {
  if (capturesOpen) throw new ProviderFault(`${kind}: another capture of this payment is still open and goes first`, 'none')
}

/** A webhook says that money is held, but neither until when nor whether it can be taken in parts. */
const saysAll = ({ payment }: PaymentOperation): boolean => payment.status !== 'authorized' || payment.authorizationExpiresAt !== null

const learnAll = async (db: Db, provider: PaymentProvider, operation: PaymentOperation, ask: AuthorizeAsk): Promise<MoneyOutcome> =>
  settle(db, operation, await provider.lookUp(operation.payment.reference!), ask)

/** A webhook or an earlier attempt has settled it: nothing is called, but what the order waits on next is still ours to say. */
async function alreadyKnown(db: Db, { paymentId, payment }: PaymentOperation, { then, fulfillmentId }: MoneyAsk): Promise<MoneyOutcome> {
  const { status, declineCode } = payment
  if (then) await db.transaction((tx) => applyView(tx, paymentId, heldBefore(payment), { waitingOn: then, fulfillmentId }))
  return { paymentId, status, ...(declineCode ? { declineCode } : {}), ...((await owesUnwanted(db, paymentId)) ? { unwanted: true } : {}) }
}

/** Opens the payment at the provider, which moves no money. Until that is known to have happened the key is never changed lightly: an orphan is harmless but untidy. */
async function openPayment(db: Db, provider: PaymentProvider, operation: PaymentOperation): Promise<Opened | undefined> {
  const { payment, operationId, orderId, paymentId } = operation
  if (payment.reference !== null) return { reference: payment.reference }
  const begun = await beginCall(db, operationId, needsNextKey(operation))
  if (begun === undefined) return undefined
  const { keyNumber } = begun
  const description = `${operation.channel} ${operation.channelOrderId}`
  const ask = { key: `${operationId}:${keyNumber}:open`, amountMinor: operation.amountMinor, currency: payment.currency, orderId, paymentId, operationId, description }
  const parts = { inParts: operation.inParts, keepsMethod: operation.keepsMethod, heldOnly: payment.heldOnly, ...(payment.payer === null ? {} : { payer: payment.payer }) }
  const opened = await rememberingSpentKeys(db, operationId, () => provider.open({ ...ask, ...parts }))
  if ((await saveReference(db, paymentId, opened)) === 'voided') return undefined
  return { reference: opened.reference, keyNumber }
}

interface Opened {
  reference: string
  /** Set when it was opened just now: the call is recorded already, and nothing has been asked of this reference that could be looked up. */
  keyNumber?: number
}

interface Effect extends Opened {
  operation: PaymentOperation
  provider: PaymentProvider
  /** Does the provider's own view show that the operation was done, or can never be? */
  happened: (view: ProviderView) => boolean
  call: (key: string) => Promise<ProviderView>
}

/** One effect at the provider: look first when an earlier attempt may have had it, else call under the recorded key. */
async function effect(db: Db, ask: AuthorizeAsk, { operation, reference, keyNumber, provider, happened, call }: Effect): Promise<MoneyOutcome> {
  if (operation.status === 'unknown' && keyNumber === undefined) {
    const view = await provider.lookUp(reference)
    if (happened(view)) return settle(db, operation, view, ask)
  }
  const key = keyNumber ?? (await beginCall(db, ask.operationId, needsNextKey(operation)))?.keyNumber
  if (key === undefined) return alreadyKnown(db, await loadOperation(db, ask.operationId), ask)
  const view = await rememberingSpentKeys(db, ask.operationId, () => call(`${ask.operationId}:${key}`))
  return settle(db, operation, view, ask)
}

/** A key that stored a failure, or that the provider may have forgotten, gives way to the next one. */
const needsNextKey = ({ keySpent, keyFirstUsedAt }: PaymentOperation): boolean =>
  keySpent || (keyFirstUsedAt !== null && Date.now() - Date.parse(keyFirstUsedAt) > keyLifetimeMs)

async function rememberingSpentKeys<Answer>(db: Db, operationId: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call()
  } catch (cause) {
    if (cause instanceof ProviderFault && cause.effect === 'stored') await spendKey(db, operationId)
    throw cause
  }
}

async function settle(db: Db, { paymentId, payment }: PaymentOperation, view: ProviderView, ask: AuthorizeAsk): Promise<MoneyOutcome> {
  const waitingOn = view.status === 'action_required' ? ask.ifPending : view.status === 'processing' ? (ask.ifProcessing ?? ask.ifPending) : ask.then
  const { view: merged, order } = await db.transaction((tx) => applyView(tx, paymentId, { ...view }, waitingOn && { waitingOn, fulfillmentId: ask.fulfillmentId }))
  const unwanted = merged.status === 'captured' && (order.stage === 'cancelled' || payment.part === 0) && (await owesUnwanted(db, paymentId))
  return { paymentId, status: merged.status, ...(view.declineCode ? { declineCode: view.declineCode } : {}), ...(unwanted ? { unwanted: true } : {}) }
}

const heldBefore = ({ status, authorizedMinor, capturedMinor, refundedMinor }: PaymentOperation['payment']) => ({ status, authorizedMinor, capturedMinor, refundedMinor })

/** The payment was never opened, so nothing can be held: the operations end here, and who is opening it hears that before the bank is asked. @throws ProviderFault where it was opened meanwhile, so that it is let go of there */
async function giveUp(db: Db, operation: PaymentOperation): Promise<MoneyOutcome> {
  return db.transaction(async (tx) => {
    await lockOrderOf(tx, operation.paymentId)
    if (await isOpened(tx, operation.paymentId)) throw new ProviderFault('void: the payment was opened at the provider meanwhile', 'none')
    const { view } = await applyView(tx, operation.paymentId, { ...heldBefore(operation.payment), status: 'voided' })
    return { paymentId: operation.paymentId, status: view.status }
  })
}

/** The bank may give it back too: it is tried again until that is decided. */
function notWhileDisputed(cause: unknown): never {
  if (cause instanceof Refusal && cause.code === 'payment.disputed') throw new ProviderFault(`refund: ${cause.message}`, 'none')
  throw cause
}
