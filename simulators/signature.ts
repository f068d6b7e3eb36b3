/** The `t=…,v1=…` signature that the payment provider and the carrier both put on their messages: HMAC-SHA256 over `<t>.<body>`. */
import { createHmac } from 'node:crypto'

export function timestampedSignature(secret: string, body: string, atSeconds: number): string {
  return `t=${atSeconds},v1=${createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex')}`
}
