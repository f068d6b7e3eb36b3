/** Posts a signed message to an endpoint: connections are kept and go to checked addresses only, redirects are not followed, and neither a slow nor an endless answer holds anything up. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Network } from '../../domain/webhooks/addresses'
import type { Heard, SendWebhook, Sending } from '../../domain/webhooks/attempt'
import type { DestinationSettings } from '../outside/destination'
import { outsideRequests } from '../outside/requests'
import { signatureHeaders } from './signature'

export interface SenderSettings extends DestinationSettings {
  /** From the first look at the name to the last byte of the answer. */
  timeoutMs: number
}

/** So much of an answer is kept, */
const keptAnswer = 1_000
/** and so much is read: whoever answers with more is hung up on. */
const mostAnswer = 65_536
const longestPauseMs = 86_400_000

export interface WebhookSender {
  send: SendWebhook
  close(): void
}

export function createWebhookSender(settings: SenderSettings): WebhookSender {
  const requests = outsideRequests(settings)

  const open = (sending: Sending, signal: AbortSignal): ClientRequest => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(sending.body),
      'user-agent': 'Throughline-Webhooks/1',
      ...signatureHeaders({ ...sending, timestamp: Math.floor(Date.now() / 1000) }),
    }
    return requests.open(sending.url, { method: 'POST', headers, signal })
  }

  return {
    async send(sending) {
      const startedAt = performance.now()
      const signal = AbortSignal.timeout(settings.timeoutMs)
      const durationMs = (): number => Math.round(performance.now() - startedAt)
      try {
        const answer = await answered(() => open(sending, signal), sending.body)
        return { ...answer, error: null, durationMs: durationMs() }
      } catch (error) {
        return { status: null, error: signal.aborted ? `no answer within ${settings.timeoutMs} ms` : (error as Error).message.slice(0, 300), durationMs: durationMs(), answer: null, retryAfterMs: null }
      }
    },
    close: requests.close,
  }
}

/** What the environment says. */
export const connectWebhooks = (config: { WEBHOOK_ALLOWED_NETWORKS?: readonly Network[]; WEBHOOK_TIMEOUT_MS: number }): WebhookSender =>
  createWebhookSender({ allowed: config.WEBHOOK_ALLOWED_NETWORKS ?? [], timeoutMs: config.WEBHOOK_TIMEOUT_MS })

type Answer = Pick<Heard, 'status' | 'answer' | 'retryAfterMs'>

const answered = (open: () => ClientRequest, body: string): Promise<Answer> =>
  new Promise<Answer>((resolve, reject) => {
    const request = open()
    request.once('error', reject)
    request.once('response', (response) => void read(response).then(resolve, reject))
    request.end(body)
  })

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < keptAnswer) chunks.push(chunk)
    size += chunk.length
    if (size > mostAnswer) break // leaving the loop hangs up
  }
  const text = Buffer.concat(chunks).toString('utf8').slice(0, keptAnswer)
  return { status: response.statusCode!, answer: text === '' ? null : text.replaceAll('\u0000', ''), retryAfterMs: pauseAsked(response) }
}

/** `Retry-After` of 429 and 503, as seconds or as a date. */
function pauseAsked({ statusCode, headers }: IncomingMessage): number | null {
  const asked = headers['retry-after']
  if (asked === undefined || (statusCode !== 429 && statusCode !== 503)) return null
  const ms = /^\d{1,9}$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestPauseMs) : null
}
