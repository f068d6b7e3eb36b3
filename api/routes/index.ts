/** Every route there is. The app mounts this list, the documentation shows it, the command sweep finds its way by it. */
import type { Route } from '../route'
import { apiKeyRoutes } from './api-keys'
import { assignmentRoutes } from './assignment'
import { auditRoutes } from './audit'
import { backTestRoutes } from './back-tests'
import { customerRoutes } from './customers'
import { bulkActionRoutes } from './bulk-actions'
import { cartonRoutes } from './cartons'
import { channelRoutes } from './channels'
import { amazonOrders } from './channels-amazon'
import { shopifyWebhook } from './channels-shopify'
import { channelSyncRoutes } from './channel-sync'
import { collect, readyForPickup, receive } from './collection'
import { customerMessageRoutes } from './customer-messages'
import { demoRoutes } from './demo'
import { draftRoutes, endDraftRoutes } from './drafts'
import { draftPaymentRoutes } from './drafts-payment'
import { paidDraftRoute, placeDraftRoute } from './drafts-place'
import { quoteDraftRoute } from './drafts-quote'
import { driverRoutes } from './drivers'
import { eventSchemaRoutes } from './event-schemas'
import { eventStreams } from './events'
import { exceptionRoutes } from './exceptions'
import { fulfillmentReads } from './fulfillment-reads'
import { handOver, packFulfillment, pickFulfillmentRoute } from './fulfillments'
import { holdRoutes } from './holds'
import { inventoryRoutes } from './inventory'
import { ledgerRoutes } from './ledger'
import { nodeRoutes } from './nodes'
import { orderReads } from './orders'
import { orderAs } from './orders-as'
import { bulkOrders } from './orders-bulk'
import { cancelOrder } from './orders-cancel'
import { changeRoutes } from './orders-changes'
import { submitOrder } from './orders-commands'
import { givePaymentMethod } from './orders-payment'
import { orderSource } from './orders-source'
import { paperRoutes } from './papers'
import { policyRoutes } from './policies'
import { promiseRoutes } from './promise'
import { quarantineRoutes } from './quarantine'
import { reOptimisationRoutes } from './re-optimisations'
import { refundRoutes } from './refunds'
import { refundsOwedRoutes } from './refunds-owed'
import { returnLabel } from './return-label'
import { returnRoutes } from './returns'
import { runRoutes } from './runs'
import { settlementRoutes } from './settlements'
import { skuRoutes } from './skus'
import { sourcingRoutes } from './sourcing'
import { storedValueRoutes } from './stored-value'
import { trackingRoutes } from './tracking'
import { waveRoutes } from './waves'
import { webhookDeliveryRoutes } from './webhook-deliveries'
import { webhookEndpointRoutes } from './webhook-endpoints'

export const routes: readonly Route[] = [
  ...promiseRoutes,
  submitOrder,
  bulkOrders,
  ...draftRoutes,
  quoteDraftRoute,
  placeDraftRoute,
  ...draftPaymentRoutes,
  paidDraftRoute,
  ...endDraftRoutes,
  cancelOrder,
  ...changeRoutes,
  givePaymentMethod,
  ...holdRoutes,
  ...bulkActionRoutes,
  ...returnRoutes,
  returnLabel,
  ...refundRoutes,
  ...refundsOwedRoutes,
  ...orderReads,
  orderSource,
  orderAs,
  ...ledgerRoutes,
  ...settlementRoutes,
  ...storedValueRoutes,
  ...eventStreams,
  ...fulfillmentReads,
  ...assignmentRoutes,
  pickFulfillmentRoute,
  packFulfillment,
  handOver,
  readyForPickup,
  collect,
  receive,
  ...waveRoutes,
  ...paperRoutes,
  ...nodeRoutes,
  ...skuRoutes,
  ...cartonRoutes,
  ...channelRoutes,
  shopifyWebhook,
  amazonOrders,
  ...channelSyncRoutes,
  ...driverRoutes,
  ...runRoutes,
  ...trackingRoutes,
  ...inventoryRoutes,
  ...policyRoutes,
  ...sourcingRoutes,
  ...backTestRoutes,
  ...reOptimisationRoutes,
  ...exceptionRoutes,
  ...quarantineRoutes,
  ...auditRoutes,
  ...apiKeyRoutes,
  ...customerRoutes,
  ...customerMessageRoutes,
  ...eventSchemaRoutes,
  ...webhookDeliveryRoutes,
  ...webhookEndpointRoutes,
  ...demoRoutes,
]
