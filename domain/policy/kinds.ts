/** Business rules as data: one document per kind, immutable versions, a snapshot stored with every order. Durations are ISO 8601 (`PT30M`, `PT0.2S`). */
import type { FeePer, ProofKind, RefundOn, ReturnReason, ReturnRule } from './returns'
import type { ForChannels } from './channel-facts'
import type { HoldsPolicy } from './holds'
import type { SourcingPolicy } from './sourcing'

export type { SourcingPolicy } from './sourcing'

export interface Policies {
  payment: PaymentPolicy
  sourcing: SourcingPolicy
  promise: PromisePolicy
  store_work: StoreWorkPolicy
  last_mile: LastMilePolicy
  returns: ReturnsPolicy
  care: CarePolicy
  parcels: ParcelPolicy
  holds: HoldsPolicy
}

export interface PaymentPolicy {
  /** How long a payment may take to be authorised before the order is cancelled and its stock freed. */
  deadline: string
  /** The same for money that a bank has under way: a debit or a transfer takes days. Absent: as any other. */
  transferDeadline?: string
  /** How often the provider is asked how far it is, in case it does not tell by itself. Absent: once, before it is given up. */
  lookAgainEvery?: string
  /** How long before its end an authorisation is renewed. */
  reauthorizeBefore: string
  /** What the provider may keep of each capture: a share, in hundredths of a percent, and a fixed amount; a fee further off than the tolerance is a case. Minor units of the capture’s currency. */
  fees?: ProviderFees
}

export interface ProviderFees {
  perMyriad: number
  fixedMinor: number
  toleranceMinor: number
}

export interface PromisePolicy {
  /** The least probability with which a promised date must be kept. */
  confidence: number
  quoteLifetime: string
  holdLifetime: string
  /** What the customer pays for a service, in minor units of her channel’s currency; `other` for services that are not named. What she fetches is free unless `pickup`, `ship_to_store` or `carry_out` has a price. */
  prices: Readonly<Record<string, number>>
  /** Where a customer may fetch it: how far from her, and how many stores she is offered. */
  collect: { withinKm: number; stores: number }
  /** What is done when a part misses a milestone of its promise; `tell`: an exception. */
  whenLate: WhenLate
  /** What nodes are given beyond the time they are known to take: dates are told as if the order came so much later. Absent: nothing. */
  extraHandling?: string
  /** What is otherwise for some channels (`channel-rules.ts`). */
  channelRules?: readonly PromiseChannelRule[]
  /** Of an order's own policy: the rules that made it what it is. */
  appliedRules?: readonly string[]
}

/** What it names takes the place of what the policy says: single services, distances and answers to lateness too. */
export interface PromiseChannelRule extends ForChannels, Partial<Pick<PromisePolicy, 'confidence' | 'quoteLifetime' | 'holdLifetime' | 'prices' | 'extraHandling'>> {
  name: string
  collect?: Partial<PromisePolicy['collect']>
  whenLate?: Partial<WhenLate>
}

export interface WhenLate {
  /** `re_source`: work that nobody has begun goes to the next best node, if there is one. */
  pick: 'tell' | 're_source'
  /** `faster_carrier`: what is packed too late for its promise travels by the fastest service. */
  handOver: 'tell' | 'faster_carrier'
  /** What nothing could save: `new_promise` tells the customer another date. */
  then?: 'tell' | 'new_promise'
}

export interface StoreWorkPolicy {
  /** From release to packed; later than that it is an exception. */
  acceptWithin: string
  /** From packed to handed over; later than that it is an exception. */
  handOverWithin: string
  /** From ready until nobody has come for it; whole days count the days on which the store is open. */
  pickupWindow: string
  /** How long before its end the customer is reminded. */
  pickupReminder: string
  /** What nobody has fetched: `cancel` it and give the money back, or `ask` support. */
  whenUncollected: 'cancel' | 'ask'
  /** From hand-over until another of our nodes has received it; later than that it is an exception. */
  receiveWithin: string
  /** Share (0–1) by which a package may weigh less than its SKUs say; lighter, and it is refused. */
  weightTolerance: number
}

export interface LastMilePolicy {
  waveSize: number
  waveWait: string
  attempts: number
  /** From one failed attempt to the next. */
  nextAttemptAfter: string
  /** From planned to departed; later than that it is an exception. */
  departWithin: string
  /** From the last door until the driver is back; later than that it is an exception. */
  returnWithin: string
  /** How far from their node own drivers go. */
  radiusKm: number
  /** How wide a time is told to a customer. */
  etaWindow: string
  /** How fast a driver is: roads against the great circle, the speed between doors, the time at one. */
  roadFactor: number
  speedKmh: number
  stopMinutes: number
  /** From hand-over to delivery; later than that the parcel is looked for. */
  deliverWithin: string
}

/** What is done about a parcel that never arrives. */
export interface ParcelPolicy {
  lost: ParcelRemedy
  damaged: ParcelRemedy
  /** Brought back to the sender. */
  returned: ParcelRemedy
  /** Goods that were brought back: on the shelf at once, or to be looked at first. */
  goodsBack: 'restock' | 'inspect'
  /** From the report until somebody must have answered the customer. */
  answerWithin: string
}
export const parcelRemedies = ['reship', 'refund'] as const
/** `reship`: the same again, from the best node. `refund`: what was in it is cancelled, and finance is told what to give back. */
export type ParcelRemedy = (typeof parcelRemedies)[number]

export interface ReturnsPolicy {
  /** From delivery until nothing can be sent back any more; then the order is completed. */
  window: string
  /** From the request until the goods must be back; later than that somebody is told. */
  restockBy: string
  /** Kept of each refund, in minor units of the channel's currency. */
  feeMinor?: number
  /** When the money is given back: once the goods are counted, once a driver has them (`collection`), once a carrier or a driver has them (`scan`), or at once, where customers are trusted. */
  refundOn?: RefundOn
  /** Whether a person has to say yes to what a customer asks for. */
  approval?: 'automatic' | 'by_staff'
  /** From the request until somebody has decided, where a person has to. Absent: as long as the goods may take. */
  decideWithin?: string
  /** Of a request that nobody has decided by then: it is refused, and she may ask again; or support is asked once more (absent). */
  whenUndecided?: 'reject' | 'ask'
  /** From `restockBy` until what the customer still has is taken to come no more, and the return is closed. Absent: thirty days. */
  closeAfter?: string
  /** SKUs, by how they begin, that are not taken back. */
  finalSale?: readonly string[]
  /** A replacement leaves before the old goods are back, also where nobody swaps them at the door. */
  replaceFirst?: boolean
  /** The same where it is asked for or nothing else is said; `hold`: with a safety net: the value of the old goods is held until they are back, and taken if they are not by `restockBy`. */
  advance?: { hold: boolean }
  /** Whether the fee is kept once of a return (absent), or of each of its lines. */
  feePer?: FeePer
  /** The codes a customer may give as her reason; absent: whatever she says. */
  reasons?: readonly ReturnReason[]
  /** What comes by mail gets a label from a carrier that sells some; absent: it does. */
  mailLabels?: boolean
  /** From the arrival of a parcel until it must be counted; later than that somebody is told. Absent: three days. */
  countWithin?: string
  /** How much longer a customer has who is reminded. Absent: two weeks. */
  remindFor?: string
  /** What a carrier loses on its way back: `refund` pays the customer as if it had come (absent), `ask` leaves that to support. */
  whenLost?: 'refund' | 'ask'
  /** What a customer has to show; absent: nothing. */
  proof?: 'none' | ProofKind
  /** Other terms for some channels or categories of goods: the first that fits a line governs it. */
  rules?: readonly ReturnRule[]
}

/** What is done while the outside world fails. */
export interface CarePolicy {
  /** How often a call that keeps failing is tried again after its first patience has run out. */
  retryEvery: string
  /** What customers ask for themselves waits for a merchant's yes, and is refused when nobody has said anything in time. Absent: it does not wait. */
  customerRequests?: { approval: boolean; decideWithin: string }
}

export type PolicyKind = keyof Policies

/** The rules an order lives by, as they were when it was placed, with the version of each. */
export interface PolicySnapshot extends Policies {
  versions: Record<PolicyKind, number>
}

export const policyKinds = ['payment', 'sourcing', 'promise', 'store_work', 'last_mile', 'returns', 'care', 'parcels', 'holds'] as const satisfies readonly PolicyKind[]

/** What applies until somebody activates another version; also version 1 of every kind. */
export const defaultPolicies: Policies = {
  payment: { deadline: 'PT30M', transferDeadline: 'P10D', lookAgainEvery: 'PT6H', reauthorizeBefore: 'P1D', fees: { perMyriad: 150, fixedMinor: 25, toleranceMinor: 1 } },
  sourcing: {
    mode: 'simple',
    rules: ['fewest_shipments', 'nearest', 'most_stock'],
    maxShipments: 1,
    splitLines: false,
    splitGuardMinor: 0,
    fences: { excludeNodes: [], sameCountry: false, leastTrust: 0 },
    retryEvery: 'PT15M',
    autoCancelAfter: 'P3D',
  },
  promise: { confidence: 0.9, quoteLifetime: 'PT30M', holdLifetime: 'PT15M', prices: { standard: 490, express: 990, other: 490 }, collect: { withinKm: 30, stores: 3 }, whenLate: { pick: 'tell', handOver: 'tell' } },
  store_work: { acceptWithin: 'PT4H', handOverWithin: 'PT24H', pickupWindow: 'P7D', pickupReminder: 'P2D', whenUncollected: 'cancel', receiveWithin: 'P5D', weightTolerance: 0.1 },
  last_mile: {
    waveSize: 12,
    waveWait: 'PT30M',
    attempts: 2,
    nextAttemptAfter: 'PT12H',
    departWithin: 'PT45M',
    returnWithin: 'PT2H',
    radiusKm: 12,
    etaWindow: 'PT15M',
    roadFactor: 1.35,
    speedKmh: 22,
    stopMinutes: 4,
    deliverWithin: 'P10D',
  },
  returns: { window: 'P30D', restockBy: 'P45D' },
  care: { retryEvery: 'PT1M' },
  parcels: { lost: 'reship', damaged: 'reship', returned: 'refund', goodsBack: 'restock', answerWithin: 'P2D' },
  holds: { rules: [] },
}
