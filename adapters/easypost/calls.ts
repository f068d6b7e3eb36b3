/** EasyPost's own client with a deadline on every call, and what its failures mean: a refusal, or a fault that says whether it may have happened all the same. */
import EasyPostClient from '@easypost/api'
import { CarrierRefusal, ProviderFault } from '../../activities/ports'

export interface EasyPostAccess {
  apiKey: string
  /** Where it answers when it is not the real one; ends in `/v2/`. */
  baseUrl?: string
  timeoutMs: number
}

/** The part of the client that is used here. Its package has types for every document and exports none for the client itself; answers are read by `wire.ts` anyway. */
export interface EasyPost {
  Shipment: { create(params: object): Promise<unknown>; retrieve(idOrReference: string): Promise<unknown>; buy(id: string, rateId: string): Promise<unknown>; refund(id: string): Promise<unknown> }
  ScanForm: { create(params: object): Promise<unknown> }
  Tracker: { all(params: object): Promise<unknown> }
  Claim: { create(params: object): Promise<unknown> }
  Utils: { validateWebhook(rawBody: Buffer, headers: object, secret: string): unknown }
}
const Client = EasyPostClient as unknown as new (apiKey: string, options: { baseUrl?: string; requestMiddleware: (request: Deadlined) => Deadlined }) => EasyPost

/** The part of a superagent request that is used here. */
interface Deadlined {
  timeout(ms: number): Deadlined
}

export const easyPostClient = ({ apiKey, baseUrl, timeoutMs }: EasyPostAccess): EasyPost =>
  // The client's own `timeout` option is kept and never used; the deadline has to be set on each request.
  new Client(apiKey, { ...(baseUrl && { baseUrl }), requestMiddleware: (request: Deadlined) => request.timeout(timeoutMs) })

/** Runs one call. @param missing what is answered where the thing asked for is not known there. */
export async function call<Answer>(what: string, run: () => Promise<Answer>): Promise<Answer>
export async function call<Answer, Missing>(what: string, run: () => Promise<Answer>, missing: { missing: Missing }): Promise<Answer | Missing>
export async function call<Answer, Missing>(what: string, run: () => Promise<Answer>, missing?: { missing: Missing }): Promise<Answer | Missing> {
  try {
    return await run()
  } catch (cause) {
    const { statusCode, code, message } = cause as { statusCode?: number; code?: string; message: string }
    if (statusCode === 404 && missing) return missing.missing
    const said = `EasyPost ${what}: ${[statusCode, code, message].filter(Boolean).join(' ')}`
    if (statusCode === 429) throw new ProviderFault(said, 'none', { cause })
    if (statusCode !== undefined && statusCode < 500) throw new CarrierRefusal(said, { cause })
    throw new ProviderFault(said, nothingSent.includes(code ?? '') ? 'none' : 'unknown', { cause })
  }
}

/** Errors of the network in which not one byte of the request has left this machine. */
const nothingSent: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']
