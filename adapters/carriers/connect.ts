/** The carriers this installation has accounts with, from its settings; the order says whose dates are promised first. */
import type { Carrier } from '../../activities/ports'
import { resoldServices } from '../easypost/resold'
import { contracts } from './contracts'
import { parcelCarrier } from './parcel-carrier'

export interface EasyPostAccount {
  EASYPOST_API_KEY?: string
  EASYPOST_BASE_URL?: string
  EASYPOST_WEBHOOK_SECRET: string
  EASYPOST_CONTACT_EMAIL: string
}
export interface CarrierAccounts extends Partial<EasyPostAccount> {
  CARRIERS: readonly (keyof typeof contracts)[]
  CARRIER_BASE_URL: string
  CARRIER_WEBHOOK_SECRET: string
  PROVIDER_TIMEOUT_MS: number
}

export const connectCarriers = async (accounts: CarrierAccounts): Promise<Carrier[]> => [
  ...accounts.CARRIERS.map((name) =>
    parcelCarrier({ contract: contracts[name], baseUrl: accounts.CARRIER_BASE_URL, webhookSecret: accounts.CARRIER_WEBHOOK_SECRET, timeoutMs: accounts.PROVIDER_TIMEOUT_MS }),
  ),
  ...(await easyPost(accounts)),
]

async function easyPost({ EASYPOST_API_KEY: apiKey, EASYPOST_BASE_URL: baseUrl, EASYPOST_WEBHOOK_SECRET = '', EASYPOST_CONTACT_EMAIL = '', PROVIDER_TIMEOUT_MS: timeoutMs }: CarrierAccounts): Promise<Carrier[]> {
  if (apiKey === undefined) return []
  const { easyPostCarrier } = await import('../easypost/carrier.js') // its client is large, and most installations do without
  return [easyPostCarrier({ apiKey, ...(baseUrl && { baseUrl }), timeoutMs, webhookSecret: EASYPOST_WEBHOOK_SECRET, contactEmail: EASYPOST_CONTACT_EMAIL, services: resoldServices })]
}
