/** Tells customers how their orders come along: reads the event log, and sends each message once, in the words of the channel. Any number of processes share the work. */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { queueMessages, settleInterrupted, settleMessage, suppressMessage, takeMessages, type DueMessage } from '../db/customer-messages'
import { customerRefHmac } from '../db/customer-ref'
import { isOptedOut, templateFor } from '../db/message-templates'
import type { SendMessage } from '../domain/customer-messages/delivery'
import { languageOf, type Language } from '../domain/customer-messages/kinds'
import { render } from '../domain/customer-messages/templates'
import { formatMinor } from '../domain/money'
import { startPump, type Pump } from './pump'

export interface CustomerMessagesOptions {
  db: Db
  send: SendMessage
  log: Logger
  /** Of the hash under which opt-outs are kept. */
  contactSecret: string
  idleMs?: number
  /** Longer than a call to the mail server can take. */
  leaseMs?: number
}

/** One spelling for each address. */
export const contactHmac = (email: string, secret: string): string => customerRefHmac(email.trim().toLowerCase(), secret)

export function startCustomerMessages({ db, send, log, contactSecret, idleMs = 1_000, leaseMs = 120_000 }: CustomerMessagesOptions): Pump {
  return startPump<DueMessage>({
    name: 'customer messages',
    concurrency: 4,
    idleMs,
    log,
    take: async (limit) => {
      while ((await queueMessages(db)) > 0) continue
      await settleInterrupted(db)
      return takeMessages(db, limit, leaseMs)
    },
    handle: async (message) => {
      const why = await notSent(message)
      if (why !== undefined) return suppressMessage(db, message.messageId, why)
      const language = languageOf(message.country)
      const { version, ...template } = await templateFor(db, message.channel, message.kind, language)
      const outcome = await send({ messageId: `<${message.messageId}@throughline>`, to: message.email!, ...render(template, valuesOf(message, language)) })
      await settleMessage(db, message, outcome, { language, version })
    },
  })

  async function notSent({ email, channel, isNews }: DueMessage): Promise<string | undefined> {
    if (email === null) return 'there is no address'
    if (!isNews) return 'it is no news any more'
    return (await isOptedOut(db, channel, contactHmac(email, contactSecret))) ? 'the customer does not want to be written to' : undefined
  }
}

function valuesOf({ name, shop, channelOrderId, totalMinor, currency, timeZone, data }: DueMessage, language: Language): Record<string, string | undefined> {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const when = (value: unknown): string | undefined => (typeof value === 'string' ? new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(new Date(value)) : undefined)
  return {
    name: name ?? undefined,
    shop,
    orderNumber: channelOrderId,
    total: formatMinor(totalMinor, currency),
    amount: typeof data.amountMinor === 'number' ? formatMinor(data.amountMinor, currency) : undefined,
    trackingNumber: text(data.trackingNumber),
    pickupBy: when(data.pickupBy),
    promisedBy: when(data.promisedBy),
  }
}
