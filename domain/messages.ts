/**
 * What an order's workflow is started with and told: the only thing api, relay and workflow share.
 * Ids and plain facts only; names, addresses and proofs stay in PostgreSQL, so that histories can be read by anyone who may see the Temporal UI.
 */
import type { FulfillmentStatus } from './fulfillment/moves'
import type { HoldEnding, HoldOwner, HoldStep, StandingHold } from './order/holds'
import type { OrderStatus, WaitingOn } from './order/status'
import type { Disposition, Grade, ReturnStatus } from './returns/status'
import type { CarePolicy, LastMilePolicy, PaymentPolicy, PromisePolicy, ReturnsPolicy, SourcingPolicy, StoreWorkPolicy } from './policy/kinds'

/** A small immutable snapshot: what the story needs to decide, never the whole document. */
export interface OrderStart {
  orderId: string
  channel: string
  channelOrderId: string
  placedAt: string
  acceptedAt: string
  currency: string
  totalMinor: number
  lineCount: number
  method: string
  tenders: readonly TenderStart[]
  policy: OrderPolicy
  /** It had come to its end, and something about it is to be done again. */
  reopened?: true
  /** What it was stopped by when it was accepted; absent: nothing. */
  holds?: readonly StandingHold[]
  /** Its end was that it was cancelled: money has come all the same. */
  cancelled?: true
  manner?: 2 // in which its workflow goes on: results of its steps take turns, and no timer outlives it; absent: it began before that
}

export interface TenderStart {
  tenderId: string
  paymentId: string
  provider: string
  amountMinor: number
  /** The operation that authorises it, recorded at intake; absent for money taken elsewhere. */
  authorizeOperationId?: string
}

/** The business rules an order lives by, as they were when it was placed. */
export interface OrderPolicy {
  payment: PaymentPolicy
  sourcing: Pick<SourcingPolicy, 'retryEvery' | 'autoCancelAfter'>
  promise: Pick<PromisePolicy, 'whenLate'>
  store_work: Pick<StoreWorkPolicy, 'acceptWithin' | 'handOverWithin'> & Partial<Pick<StoreWorkPolicy, 'whenUncollected' | 'receiveWithin'>>
  last_mile: Pick<LastMilePolicy, 'deliverWithin'>
  returns: Pick<ReturnsPolicy, 'window'>
  care: CarePolicy
}

export interface OrderEnding {
  status: 'completed' | 'cancelled'
  reason?: string
}

/** Commands: somebody waits for yes or no. `commandId` is the same for every attempt. */
export interface Command {
  commandId: string
  actor: string
  /** It is done only while the order is one of these. */
  ifVersion?: IfVersion
}
export interface IfVersion {
  orderId: string
  /** Also the one that it is when its thread begins again for this command. */
  versions: readonly number[]
}
export interface CancelOrder extends Command {
  reason: string
}
/** Some units of it: those furthest from the door first. */
export interface CancelLines extends Command {
  lines: readonly { lineId: string; quantity: number }[]
  reason: string
}
/** What is to change stays in the database; this is its id. */
export interface ChangeOrder extends Command {
  changeId: string
  /** A merchant says yes to what the customer asked for: done at once. */
  approves?: boolean
}
/** What a change costs more than the order's tenders cover: held before anything is changed, or given up at its deadline. */
export interface ChangeCharge {
  paymentId: string
  operationId: string
  amountMinor: number
  deadline: string
}
export interface CancelOrderAnswer {
  cancelledAt: string
}
/** Another way of paying for what is not held. What it is stays in the database; this is its id. */
export interface GiveMethod extends Command {
  givenId: string
}
/** What became of it at the provider, by payment. */
export interface GiveMethodAnswer {
  payments: Record<string, string>
}
export interface RejectLines extends Command {
  fulfillmentId: string
  lines: readonly PickedLine[]
}
export interface PickedLine {
  lineId: string
  picked: number
  rejected: number
  reason?: string
  /** Of one scan: sent again, it is not counted again. */
  scanId?: string
}
export interface PackFulfillment extends Command {
  fulfillmentId: string
  packages: readonly PackagePlan[]
}
export interface PackagePlan {
  weightGrams: number
  lengthMm?: number
  widthMm?: number
  heightMm?: number
  lines: readonly { lineId: string; quantity: number }[]
}
export interface HandOver extends Command {
  fulfillmentId: string
}
/** Goods that the customer fetches are at the counter. */
export interface MakeReady extends Command {
  fulfillmentId: string
}
/** The proof stays in the database; this is its id. */
export interface Collect extends Command {
  fulfillmentId: string
  proofId: string
}
/** What another node sent has come; absent lines: all of it. */
export interface ReceiveTransfer extends Command {
  fulfillmentId: string
  lines?: readonly { lineId: string; quantity: number }[]
}
export interface FulfillmentAnswer {
  fulfillmentId: string
  status: FulfillmentStatus
}

/** Some steps of the order are stopped until somebody releases them, or until its deadline. */
export interface PlaceHold extends Command {
  type: string
  reason: string
  blocks: readonly HoldStep[]
  owner: HoldOwner
  deadline?: string
  atDeadline?: HoldEnding
  approvals?: number
}
export interface ReleaseHold extends Command {
  holdId: string
  reason?: string
}
/** What became of an order's holds in its rows; also sent as a signal where a fact from outside did it. Said twice, nothing changes. */
export interface HoldsChanged {
  placed: readonly StandingHold[]
  released: readonly string[]
  /** Deadlines that were moved by as long as they were stopped. */
  moved: readonly { fulfillmentId?: string; wait: WaitingOn; byMs: number }[]
  status: OrderStatus
}

/** Work nobody has begun is to go to other nodes. */
export interface MoveWork extends Command {
  reason: string
}
export interface MoveWorkAnswer {
  /** Where it is now; none: only what waits for stock looks again. */
  nodes: string[]
  looksAgain: boolean
}
/** The customer is to be told another date. */
export interface RenewPromise extends Command {
  reason: string
}
export interface RenewPromiseAnswer {
  promisedBy: string
}

/** The fraud service does not want this order to go on. */
export interface FraudRejected {
  checkId: string
}

/** Something is to come back. */
export interface RequestReturn extends Command {
  lines: readonly { lineId: string; quantity: number; reason: string }[]
  /** `none`: the goods are not wanted back. */
  method: 'mail' | 'store' | 'courier' | 'none'
  /** Where nothing is to come back, what is given for it; absent: the money. */
  remedy?: 'credit'
  /** A fault of ours is made good with money of ours: it passes the ceilings of refunds. Absent: somebody else has given it already. */
  claim?: true
  /** Asked by one of us, who may go beyond the policy. */
  staff: boolean
  /** What the customer showed for it. */
  proofId?: string
}
/** Sent by support from the Temporal UI: `{"lines": [{"lineId": "1", "quantity": 1}], "collectOld": "mail", "reason": "torn", "actor": "support"}`. */
export interface RequestReplacementSignal {
  lines: readonly { lineId: string; quantity: number; sku?: string }[]
  collectOld?: RequestReplacement['collectOld']
  reason?: string
  actor?: string
  messageId?: string
}
/** Something is to be sent in place of what was delivered; without another SKU the same again. */
export interface RequestReplacement extends Command {
  /** `unitPriceMinor`: of one new unit, as on the order; absent: what it replaces was paid with. */
  lines: readonly { lineId: string; quantity: number; reason: string; sku?: string; unitPriceMinor?: number }[]
  collectOld: 'at_door' | 'mail' | 'store' | 'none'
  /** Before the old goods are back, or after; absent: as the policy says. */
  send?: 'now' | 'on_receipt'
  /** The provider's token of the card for what is to be held; absent: the one the customer paid with. */
  paymentMethod?: string
  staff: boolean
  proofId?: string
}
/** What came back has been counted. */
export interface ReceiveReturn extends Command {
  returnId: string
  nodeId: string
  lines: readonly { lineId: string; quantity: number; grade: Grade; disposition: Disposition }[]
}
/** Goods that nobody has announced are brought to a counter, and counted at once. */
export interface ReturnAtCounter extends Command {
  nodeId: string
  lines: readonly { lineId: string; reason: string; counted: readonly { quantity: number; grade: Grade; disposition: Disposition }[] }[]
  proofId?: string
}
/** Decided by a person, or taken back by who asked. */
export interface DecideReturn extends Command {
  returnId: string
  /**
   * `close`: no more will come; `remind`: the customer has some more time; `charge`: what has not come back, or came as something else, is taken of what is held over it; `waive`: it is not.
   */
  decision: 'approve' | 'reject' | 'cancel' | 'close' | 'remind' | 'charge' | 'waive'
  reason?: string
}
/** Money is to be given back by hand: an amount, or what was paid for units. */
export interface RefundOrder extends Command {
  lines?: readonly { lineId: string; quantity: number }[]
  amountMinor?: number
  tenderId?: string
  reason: string
}
export interface DecideRefund extends Command {
  refundId: string
  decision: 'approve' | 'reject'
  reason?: string
}
/** A refund came back: what the customer is owed since is given another way. */
export interface GiveAgain extends Command {
  refundReference: string
  by: { way: 'another_payment'; tenderId?: string } | { way: 'store_credit' } | { way: 'bank_transfer'; transferReference: string; sentBy: string }
}
export interface RefundAnswer {
  refundId: string
  status: 'waiting' | 'given' | 'rejected'
}
export interface ReturnAnswer {
  returnId?: string
  /** Of a claim that waits for another person's yes. */
  refundId?: string
  status: ReturnStatus | 'waiting'
}

export const updates = {
  cancelOrder: 'cancelOrder',
  cancelLines: 'cancelLines',
  changeOrder: 'changeOrder',
  giveMethod: 'giveMethod',
  reportRejection: 'reportRejection',
  packFulfillment: 'packFulfillment',
  handOver: 'handOver',
  readyForPickup: 'readyForPickup',
  collect: 'collect',
  receiveTransfer: 'receiveTransfer',
  requestReturn: 'requestReturn',
  requestReplacement: 'requestReplacement',
  receiveReturn: 'receiveReturn',
  returnAtCounter: 'returnAtCounter',
  decideReturn: 'decideReturn',
  refundOrder: 'refundOrder',
  decideRefund: 'decideRefund',
  giveRefundAgain: 'giveRefundAgain',
  placeHold: 'placeHold',
  releaseHold: 'releaseHold',
  moveWork: 'moveWork',
  renewPromise: 'renewPromise',
} as const
/** These reopen an order whose thread has come to its end; so do money that nobody counts on any more, and late news of a return that brings something still to be done. */
export const reopening: readonly UpdateName[] = ['requestReturn', 'requestReplacement', 'receiveReturn', 'returnAtCounter', 'decideReturn', 'refundOrder', 'decideRefund', 'giveRefundAgain']
/** Of those, what is asked of cancelled orders too. */
export const reopeningCancelled: readonly UpdateName[] = ['giveRefundAgain']
export type UpdateName = keyof typeof updates

/** Facts from outside, already deduplicated by their row in the inbox; the row has been applied, the signal only wakes the story. */
export interface PaymentReported {
  paymentId: string
  status: string
}
export interface CarrierReported {
  fulfillmentId: string
  status: FulfillmentStatus
  at: string
  /** What the rows say since this fact was applied: the part, and the order as a whole where that has changed. */
  waits: { part: WaitingOn | null; order?: WaitingOn }
  /** A parcel of it will never arrive: are its goods sent again, and by which operation is the carrier asked for compensation? */
  trouble?: { packageId: string; reship: boolean; claim?: string; refunds?: { operationId: string; amountMinor: number }[] }
}
/** What has left us: the captures that take its money, in minor units each. */
export interface Gone {
  at: string
  captures: string[]
  capturesMinor: number[]
  /** The rest of the order is not held any more: `holdRemainder` is due once the captures are made. */
  remainder?: true
  /** Holds that nothing more is taken of, nor was with this: they are let go. */
  voids?: string[]
}
/** What happened to a fulfillment on a run; its rows are already up to date. */
export interface RunReported {
  fulfillmentId: string
  status: FulfillmentStatus
  at: string
  /** When it left with the driver. */
  gone?: Gone
  waits: { part: WaitingOn | null; order?: WaitingOn }
}
/** A count found less than was claimed: units nobody had picked have no node any more. */
export interface StockTakenBack {
  fulfillmentId: string
  status: FulfillmentStatus
}
/** Sent by support from the Temporal UI, where no update can be sent: `{"reason": "customer changed her mind", "actor": "support"}`. */
export interface CancelOrderSignal {
  reason?: string
  actor?: string
  messageId?: string
}
/** Somebody pressed retry on an exception: whatever the order waits for is tried again now. */
export interface ExceptionRetried {
  exceptionId: string
}

/** Stock of a SKU has come that the order waits for: it tries again now. Orders are told one after the other, the most urgent first. */
export interface StockArrived {
  sku: string
}

/** Money has come that nobody counts on any more: the operation that lets go of it, or gives it back. */
export interface MoneyUnwanted {
  paymentId: string
  operationId: string
  kind: 'void' | 'refund'
  amountMinor: number
}

/** What is held for goods that have still to leave, or over goods that have still to come back, will not be held much longer: it is held anew. */
export interface HoldExpires {
  paymentId: string
  /** Over what is to come back under this return. */
  returnId?: string
}

export const signals = {
  holdsChanged: 'holdsChanged',
  fraudRejected: 'fraudRejected',
  paymentReported: 'paymentReported',
  moneyUnwanted: 'moneyUnwanted',
  holdExpires: 'holdExpires',
  carrierReported: 'carrierReported',
  runReported: 'runReported',
  returnReported: 'returnReported',
  workMoved: 'workMoved',
  stockTakenBack: 'stockTakenBack',
  cancelOrder: 'cancelOrder',
  requestReplacement: 'requestReplacement',
  exceptionRetried: 'exceptionRetried',
  stockArrived: 'stockArrived',
} as const

/** The query `orderState`: what the workflow itself believes. */
export interface OrderState {
  orderId: string
  chapter: string
  waitingOn: WaitingOn | null
  payments: Record<string, string>
  fulfillments: Record<string, FulfillmentStatus>
  ending: OrderEnding | null
}
export const orderStateQuery = 'orderState'
