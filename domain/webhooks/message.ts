/** What an endpoint is sent: the envelope of Standard Webhooks around an event of the timeline. Versioned, so that a later shape can come beside this one. */

/** Shapes of payloads; an endpoint has the one it was made with. */
export const payloadVersions = ['1'] as const
export type PayloadVersion = (typeof payloadVersions)[number]

export interface ToldEvent {
  type: string
  /** When it happened. */
  at: string
  /** null: it is about no order. */
  order: { orderId: string; channel: string; channelOrderId: string; seq: number } | null
  data: Record<string, unknown>
}

/** The same for every attempt, and for every later replay. */
export const webhookId = (endpointId: string, what: string): string => `msg_${endpointId.replaceAll('-', '')}_${what}`

/** Sent to find out whether an endpoint works; is on no timeline. */
export const testEventType = 'webhook.test'

export function payloadOf({ type, at, order, data }: ToldEvent, version: PayloadVersion): object {
  switch (version) {
    case '1':
      return { type, timestamp: at, data: { ...order, details: data } }
  }
}
