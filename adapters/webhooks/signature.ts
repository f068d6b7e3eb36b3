/** Signs as Standard Webhooks 1.0 says: HMAC-SHA256 over `id.timestamp.body`, one signature for each secret that is valid now. */
import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/** 32 random bytes; the standard asks for 24 to 64. */
export const newSecret = (): string => prefix + randomBytes(32).toString('base64')

/** @param timestamp seconds since the epoch, when this attempt is made. */
export function signatureHeaders({ id, timestamp, body, secrets }: { id: string; timestamp: number; body: string; secrets: readonly string[] }): Record<string, string> {
  const sign = (secret: string): string => `v1,${createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': secrets.map(sign).join(' ') }
}
