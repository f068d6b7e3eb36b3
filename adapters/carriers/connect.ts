/** The carriers this installation has accounts with, from its settings; the order says whose dates are promised first. */
import type { Carrier } from '../../activities/ports'
import { contracts } from './contracts'
import { parcelCarrier } from './parcel-carrier'

export interface CarrierAccounts {
  CARRIERS: readonly (keyof typeof contracts)[]
  CARRIER_BASE_URL: string
  CARRIER_WEBHOOK_SECRET: string
  PROVIDER_TIMEOUT_MS: number
}

export const connectCarriers = (accounts: CarrierAccounts): Carrier[] =>
  accounts.CARRIERS.map((name) =>
    parcelCarrier({ contract: contracts[name], baseUrl: accounts.CARRIER_BASE_URL, webhookSecret: accounts.CARRIER_WEBHOOK_SECRET, timeoutMs: accounts.PROVIDER_TIMEOUT_MS }),
  )
