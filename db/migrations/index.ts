/** The migrations in order, by import: the same list whether run from TypeScript or from the built files. */
import * as network from './0001-network'
import * as stock from './0002-stock'
import * as orders from './0003-orders'
import * as money from './0004-money'
import * as queues from './0005-queues'
import * as channelStock from './0006-channel-stock'
import * as partCaptures from './0008-part-captures'
import * as parts from './0009-parts'
import * as trust from './0010-trust'
import * as promise from './0011-promise'
import * as reservations from './0012-reservations'
import * as backTests from './0013-back-tests'
import * as supply from './0014-supply'
import * as reOptimisations from './0015-re-optimisations'
import * as collection from './0018-collection'
import * as carriers from './0019-carriers'
import * as storeWork from './0020-store-work'
import * as countedArrivals from './0021-counted-arrivals'
import * as runs from './0022-runs'
import * as shortfalls from './0023-shortfalls'
import * as goodsUnderRules from './0024-goods-under-rules'
import * as policySnapshots from './0025-policy-snapshots'
import * as ledger from './0026-ledger'
import * as settlements from './0027-settlements'
import * as changes from './0028-changes'
import * as returns from './0029-returns'
import * as moreAfterTheClick from './0031-more-after-the-click'
import * as collections from './0032-collections'
import * as longerRuns from './0033-longer-runs'
import * as storedValue from './0034-stored-value'
import * as expiringHolds from './0035-expiring-holds'
import * as exchanges from './0036-exchanges'
import * as safetyNets from './0037-safety-nets'
import * as returnTerms from './0038-return-terms'
import * as failedRefunds from './0042b-failed-refunds'
import * as webhooks from './0043-webhooks'
import * as customerMessages from './0044-customer-messages'
import * as holds from './0045-holds'
import * as holdRules from './0046-hold-rules'
import * as bulkActions from './0047-bulk-actions'
import * as bulk from './0048-bulk'
import * as audit from './0052-audit'
import * as keys from './0053-keys'
import * as erasure from './0054-erasure'
import * as changeBasis from './0055-change-basis'
import * as channelLimits from './0058-channel-limits'
import * as drafts from './0056-drafts'
import * as returnedRefunds from './0060-returned-refunds'
import * as raisesByChannels from './0059-raises-by-channels'
import * as draftLinks from './0057-draft-links'
import * as cancellationsTold from './0061-cancellations-told'
import * as claimsThatWait from './0062-claims-that-wait'
import * as givenMethods from './0064-given-methods'
import * as countedGoodwill from './0065-counted-goodwill'
import * as returnLabels from './0039-return-labels'
import * as goodwill from './0040-goodwill'
import * as lateMoney from './0042-money-that-comes-late'
import * as channelDocuments from './0049-channel-documents'
import * as quarantine from './0050-quarantine'
import * as channelSettings from './0051-channel-settings'
import * as refundTimes from './0066-refund-times'
import * as chargedBack from './0067-charged-back'
import * as joinedTenders from './0069-joined-tenders'
import * as heldByDispute from './0070-held-by-dispute'
import * as whenIntended from './0071-when-intended'
import * as givenBeforeItCame from './0072-given-before-it-came'
import * as feesKept from './0073-fees-kept'
import * as chargeOfChange from './0074-charge-of-change'
import * as exchangeHoldsOver from './0075-exchange-holds-over'
import * as lateReturns from './0068-late-returns'

export interface Migration {
  name: string
  up: string
}

export const migrations: readonly Migration[] = [
  network,
  stock,
  orders,
  money,
  queues,
  channelStock,
  partCaptures,
  parts,
  trust,
  promise,
  reservations,
  backTests,
  supply,
  reOptimisations,
  collection,
  carriers,
  storeWork,
  countedArrivals,
  runs,
  shortfalls,
  goodsUnderRules,
  policySnapshots,
  ledger,
  settlements,
  changes,
  returns,
  moreAfterTheClick,
  collections,
  longerRuns,
  storedValue,
  expiringHolds,
  exchanges,
  safetyNets,
  returnTerms,
  returnLabels,
  goodwill,
  lateMoney,
  failedRefunds,
  webhooks,
  customerMessages,
  holds,
  holdRules,
  bulkActions,
  bulk,
  audit,
  keys,
  erasure,
  changeBasis,
  channelDocuments,
  quarantine,
  channelSettings,
  channelLimits,
  drafts,
  returnedRefunds,
  raisesByChannels,
  draftLinks,
  cancellationsTold,
  claimsThatWait,
  countedGoodwill,
  givenMethods,
  refundTimes,
  chargedBack,
  lateReturns,
  joinedTenders,
  heldByDispute,
  whenIntended,
  givenBeforeItCame,
  feesKept,
  chargeOfChange,
  exchangeHoldsOver,
]
