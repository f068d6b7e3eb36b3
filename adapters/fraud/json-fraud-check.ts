/** The fraud port on a service that speaks JSON over HTTP: a question under a key, an answer at once or later in a signed message. */
import { z } from 'zod'
import { ProviderFault, type FraudCheck } from '../../activities/ports'
import { fraudVerdicts, type FraudAnswer, type FraudQuestion } from '../../domain/order/fraud'
import { readSigned } from '../signed-body'

export interface FraudServiceOptions {
  baseUrl: string
  apiKey: string
  webhookSecret: string
  /** How long one call may take. */
  timeoutMs: number
}

export interface FraudAccount {
  FRAUD_BASE_URL?: string
  FRAUD_API_KEY: string
  FRAUD_WEBHOOK_SECRET: string
  PROVIDER_TIMEOUT_MS: number
}

/** The service there is an account with, if there is one. */
export const connectFraud = (account: FraudAccount): FraudCheck | undefined =>
  account.FRAUD_BASE_URL === undefined ? undefined : jsonFraudCheck({ baseUrl: account.FRAUD_BASE_URL, apiKey: account.FRAUD_API_KEY, webhookSecret: account.FRAUD_WEBHOOK_SECRET, timeoutMs: account.PROVIDER_TIMEOUT_MS })

const answerShape = z.object({ key: z.string(), reference: z.string().min(1).max(200), verdict: z.enum([...fraudVerdicts, 'pending']) })
const eventShape = z.object({ event_id: z.string().min(1).max(200), key: z.string().min(1).max(100), reference: z.string().min(1).max(200), verdict: z.enum(fraudVerdicts) })

export const jsonFraudCheck = (options: FraudServiceOptions): FraudCheck => ({
  ask: (question) => ask(options, question),
  readEvent: (rawBody, header) => {
    const { event_id: eventId, key, reference, verdict } = readSigned({ rawBody, signature: header('fraud-signature'), header: 'Fraud-Signature', secret: options.webhookSecret, shape: eventShape })
    return { eventId, key, reference, verdict }
  },
})

/** Whatever fails may be asked again: the same key is the same question. */
async function ask({ baseUrl, apiKey, timeoutMs }: FraudServiceOptions, question: FraudQuestion): Promise<FraudAnswer> {
  const answer = await request(`${baseUrl.replace(/\/$/, '')}/v1/checks`, {
    method: 'POST',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify(asTheySayIt(question)),
  })
  const read = answerShape.safeParse(answer)
  if (!read.success) throw new ProviderFault(`the fraud service answered in another shape: ${z.prettifyError(read.error)}`, 'unknown')
  const { reference, verdict } = read.data
  return { reference, verdict: verdict === 'pending' ? undefined : verdict }
}

const asTheySayIt = ({ key, orderRef, channel, currency, amountMinor, customer, shipTo, billTo, lines, tenders }: FraudQuestion): object => ({
  key, order_ref: orderRef, channel, currency, amount_cents: amountMinor, customer, ship_to: shipTo, bill_to: billTo,
  lines: lines.map((l) => ({ sku: l.sku, quantity: l.quantity, unit_price_cents: l.unitPriceMinor })),
  tenders: tenders.map((t) => ({ provider: t.provider, amount_cents: t.amountMinor })),
})

async function request(url: string, init: RequestInit): Promise<unknown> {
  try {
    const response = await fetch(url, init)
    const text = await response.text()
    if (!response.ok) throw new ProviderFault(`the fraud service answered ${response.status}`, 'unknown')
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof ProviderFault) throw cause
    throw new ProviderFault(`the fraud service cannot be reached: ${(cause as Error).message}`, 'unknown', { cause })
  }
}
