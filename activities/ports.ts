/**
 * What Throughline asks of the outside world, in its own words. An adapter per real party implements these; a fault is thrown,
 * an answer (a decline included) is returned. Every call carries a key that is the same for every attempt of one operation.
 */

import type { FraudAnswer, FraudQuestion, FraudVerdict } from '../domain/order/fraud'
import type { LinkView, OpenLink } from '../domain/draft/link'
import type { Position } from '../domain/delivery/distance'
import type { Parcel } from '../domain/delivery/rate-card'
import type { DistanceMatrix } from '../domain/delivery/routing/matrix'
import type { Pace } from '../domain/delivery/run'
import type { ParcelStatus } from '../domain/delivery/tracking'
import type { Weekday } from '../domain/promise/days'

/** How far it is from place to place by road, and how long that takes. */
export interface Distances {
  /** Never throws: where nobody knows better, ways are estimated by the straight line and `pace`. */
  between(places: readonly Position[], pace: Pace): Promise<DistanceMatrix>
}

/** The payment provider. Amounts are minor units of `currency`. All methods throw `ProviderFault` when the outcome is not known or the provider is out of reach. */
export interface PaymentProvider {
  /**
   * Opens a payment without moving money. Harmless to repeat: a payment opened twice holds nothing until it is confirmed.
   * @returns the provider's own reference, and the payer it keeps the payment method for where that may be charged again.
   */
  open(ask: OpenPayment): Promise<{ reference: string; payer?: string }>
  /** Holds the money of an opened payment, or takes it where a method cannot be held (then it is `captured`). Once per reference, whatever the number of calls. `offSession`: the customer is not there to be asked by the bank. */
  authorize(ask: { reference: string; key: string; paymentMethod: string; offSession?: boolean }): Promise<AuthorizeAnswer>
  /** Takes (part of) what is held. After a final capture the provider lets go of the rest; only a hold with `multicapture` takes any other. */
  capture(ask: { reference: string; key: string; amountMinor: number; operationId: string; final: boolean }): Promise<ProviderView>
  /** Lets go what is held; `partlyCaptured`: what is still held of it. */
  void(ask: { reference: string; key: string; partlyCaptured?: boolean }): Promise<ProviderView>
  /** Gives back captured money. */
  refund(ask: { reference: string; key: string; amountMinor: number; operationId: string }): Promise<{ refundReference: string }>
  /** The refund that carries this operation's id, if there is one: the way an unknown outcome of a refund becomes known. */
  findRefund(ask: { reference: string; operationId: string }): Promise<{ refundReference: string } | undefined>
  /** What the provider believes about a payment right now; the way an unknown outcome becomes known. */
  lookUp(reference: string): Promise<ProviderView>
}

export interface OpenPayment {
  key: string
  amountMinor: number
  currency: string
  orderId: string
  paymentId: string
  operationId: string
  /** Shown to the merchant at the provider, e.g. `web 1042`. No personal data. */
  description: string
  /** The order may leave in several parts: the hold should be one that is captured several times. */
  inParts?: boolean
  /** The payment method may be charged again, for another part or because the hold runs out before the goods leave. */
  keepsMethod?: boolean
  /** It must be held until the goods leave: what a bank would take at once is declined. */
  heldOnly?: boolean
  /** Who the payment method is kept for: given when it is charged again. */
  payer?: string
}

/** Addresses at which a customer pays, once, what an order that is not placed yet will cost. All calls throw `ProviderFault`; `open` throws `LinkRefusal` when the answer is no. */
export interface PaymentLinks {
  /** The same key always yields the same link. */
  open(ask: OpenLink): Promise<LinkView>
  lookUp(reference: string): Promise<LinkView>
  /** The link that carries our id, if there is one: the way an unknown outcome of opening it becomes known. */
  find(ask: { linkId: string; openedFrom: string }): Promise<LinkView | undefined>
  /** Nobody is to pay at it any more. The answer may be that somebody has. */
  end(ask: { reference: string; key: string }): Promise<LinkView>
}

export const providerStatuses = ['opened', 'declined', 'action_required', 'processing', 'authorized', 'captured', 'voided'] as const
export type ProviderStatus = (typeof providerStatuses)[number]

export interface ProviderView {
  reference: string
  status: ProviderStatus
  /** Still held plus captured, i.e. everything ever authorised; 0 when it never was. */
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  /** ISO instant until which the hold is good, when the provider says so. */
  authorizationExpiresAt?: string
  declineCode?: string
  /** The hold may be captured several times; absent when it may not, or the news does not say. */
  multicapture?: boolean
  /** The provider's own name of the payment method in use, by which it can be charged again. */
  methodInUse?: string
  /** What was captured, by operation; absent when nothing was or the news does not say. */
  captures?: Readonly<Record<string, number>>
  /** What the customer needs to go on with it, while her bank waits for her. Secret. */
  action?: PaymentAction
}
export type AuthorizeAnswer = ProviderView

/** What the customer's browser is given: to be handed to the provider's own script, or an address to go to. */
export interface PaymentAction {
  type: string
  clientSecret: string
  url: string | null
}

/** A verified message of the provider about one of our payments. */
export interface ProviderEvent {
  eventId: string
  type: string
  paymentId?: string
  orderId?: string
  operationId?: string
  view: ProviderView
}

/** A verified message about money that the customer's bank takes back. */
export interface DisputeEvent {
  eventId: string
  disputeId: string
  /** The payment it is about. */
  reference: string
  amountMinor: number
  currency: string
  reason: string
  status: 'open' | 'won' | 'lost'
}

/** A verified message that a refund did not reach the customer after all, days after it was given. */
export interface FailedRefundEvent {
  eventId: string
  refundReference: string
  /** The payment it is about. */
  reference: string
  operationId?: string
  amountMinor: number
  currency: string
  reason: string
}

/** Checks a webhook's signature over the raw body and reads it. Throws `Refusal('signature.invalid')`; undefined for kinds of events that do not concern us. */
export interface ProviderWebhook {
  read(rawBody: Buffer, signature: string | undefined): ProviderEvent | undefined
  readDispute(rawBody: Buffer, signature: string | undefined): DisputeEvent | undefined
  readFailedRefund(rawBody: Buffer, signature: string | undefined): FailedRefundEvent | undefined
  /** Something happened to a payment link of ours: what, is looked up. */
  readLink(rawBody: Buffer, signature: string | undefined): { eventId: string; linkId: string } | undefined
}

/**
 * A carrier account: what a parcel would cost, labels bought per package, hand-over told by manifest, tracking as signed events or asked for, claims for
 * what it lost or damaged. All calls throw `ProviderFault` when it is out of reach or does not say what happened, `CarrierRefusal` when it says no.
 */
export interface Carrier {
  readonly carrier: string
  /** What it sells, and when it collects and delivers; known without asking it. */
  services(): readonly CarrierService[]
  /** What each of its services takes for these parcels together, or why it does not take them. A contract's price list answers without a call. */
  rate(ask: RateAsk): Promise<readonly ServiceRate[]>
  /** Buys one label; the same `reference` always yields the same label. */
  buyLabel(ask: BuyLabel): Promise<Label>
  /** The label bought under `reference`, if the carrier ever made one and it is not voided. */
  findLabel(reference: string): Promise<Label | undefined>
  /** Repeats are harmless. */
  voidLabel(trackingNumber: string): Promise<void>
  /** Tells the carrier which parcels it has been given. Repeats are harmless. */
  manifest(ask: { reference: string; trackingNumbers: readonly string[] }): Promise<void>
  /** Everything it knows of a parcel, oldest first, with the ids its events have or would have; for when it has not told by itself. */
  track(trackingNumber: string): Promise<readonly CarrierEvent[]>
  /** Asks for compensation; once per reference. @returns the carrier's own number of the claim. */
  claim(ask: ClaimAsk): Promise<{ claimReference: string }>
  /**
   * Checks the signature of an event body and reads it; undefined for messages that concern no parcel.
   * @param header the value of a header by its name. Throws `Refusal('signature.invalid')` or `Refusal('request.invalid')`.
   */
  readEvent(rawBody: Buffer, header: (name: string) => string | undefined): CarrierEvent | undefined
}

export interface CarrierService {
  /** What is sold: `standard`, `express`; several carriers may sell the same. */
  service: string
  name: string
  transitDays: number
  /** Countries it delivers to. */
  countries: readonly string[]
  /** Local days and hours at which it rings at doors. */
  deliversOn: readonly Weekday[]
  hours: { opens: string; closes: string }
  /** Days on which it collects, and until what local time of the node; a node may have agreed on other hours. */
  collects: { on: readonly Weekday[]; until: string }
  /** It also sells labels for what customers send back. */
  returns?: boolean
}

export interface RateAsk {
  from: Address
  to: Address
  parcels: readonly Parcel[]
  /** From a customer to us. */
  isReturn?: boolean
}

export type ServiceRate = { service: string } & ({ priceMinor: number; currency: string; refused?: undefined } | { priceMinor?: undefined; refused: { code: string; says: string } })

export interface BuyLabel extends Parcel {
  reference: string
  service: string
  from: Address
  to: Address
  /** For what a customer sends back: she is `from`, and hands it in whenever she likes. */
  isReturn?: boolean
}

export interface Address {
  name?: string
  line1?: string
  line2?: string
  city?: string
  postalCode?: string
  country: string
}

export interface Label {
  trackingNumber: string
  reference: string
  service: string
  priceMinor: number
  currency: string
  /** What is printed on the parcel, in the carrier's own words (a short text a barcode is made of). */
  labelText: string
}

export interface ClaimAsk {
  reference: string
  trackingNumber: string
  reason: 'lost' | 'damaged'
  amountMinor: number
  currency: string
}

export interface CarrierEvent {
  eventId: string
  trackingNumber: string
  status: ParcelStatus
  /** ISO instant at which it happened, by the carrier's clock. */
  at: string
  detail?: string
  /** The carrier counts this as the way back to us; where it says nothing, the status tells. */
  isReturn?: boolean
}

/** The carrier has answered, and the answer is no: asking again changes nothing, another carrier may. */
export class CarrierRefusal extends Error {
  override name = 'CarrierRefusal'
}

/** Whoever judges whether an order is honest. */
export interface FraudCheck {
  /** Asks about an order, or what has become of it: the same key is the same question. @throws ProviderFault */
  ask(question: FraudQuestion): Promise<FraudAnswer>
  /** A verified answer that came later. @throws Refusal `signature.invalid`, `request.invalid` */
  readEvent(rawBody: Buffer, header: (name: string) => string | undefined): FraudEvent
}
export interface FraudEvent {
  eventId: string
  key: string
  reference: string
  verdict: FraudVerdict
}

/** The outside world failed: out of reach, too slow, or an answer that does not say whether it happened. */
export class ProviderFault extends Error {
  override name = 'ProviderFault'
  constructor(
    message: string,
    /** `none`: it surely did not happen. `unknown`: it may have happened: look up before trying again. `stored`: this key will keep answering with its stored failure, or its stored no. */
    readonly effect: 'none' | 'unknown' | 'stored',
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
