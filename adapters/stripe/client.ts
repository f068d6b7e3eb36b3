/** Stripe's own client, set up so that one call is one request: whether to try again is decided by who called, and knows what is recorded. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Stripe from 'stripe'

export interface StripeOptions {
  apiKey: string
  /** Where the provider answers, when it is not the real one. */
  baseUrl?: string
  /** How long one request may take. */
  timeoutMs: number
}

export function stripeClient({ apiKey, baseUrl, timeoutMs }: StripeOptions): Stripe {
  const at = baseUrl === undefined ? undefined : new URL(baseUrl)
  const plain = at?.protocol === 'http:'
  const agent = plain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true })
  const where = at && { host: at.hostname, port: at.port || (plain ? 80 : 443), protocol: plain ? ('http' as const) : ('https' as const) }
  return new Stripe(apiKey, { ...where, timeout: timeoutMs, maxNetworkRetries: 0, telemetry: false, httpClient: oneRequestPerCall(agent) })
}

/**
 * The client sends a request again when its connection was closed, even with retries off. The second try may then fail in a way that looks as if
 * nothing was ever sent (connection refused, after the first was carried out). So a closed connection reaches it under a name it does not retry.
 */
function oneRequestPerCall(agent: HttpAgent): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient(agent)
  const makeRequest: Stripe.HttpClient['makeRequest'] = async (...request) => {
    try {
      return await client.makeRequest(...request)
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? ''
      if (!Stripe.HttpClient.CONNECTION_CLOSED_ERROR_CODES.includes(code)) throw cause
      throw Object.assign(new Error(`the connection was closed (${code})`, { cause }), { code: 'CONNECTION_CLOSED' })
    }
  }
  return { getClientName: () => client.getClientName(), makeRequest }
}
