/** Hands messages to a mail server by SMTP, and says of each failure whether the server can have taken the message. */
import { createTransport } from 'nodemailer'
import type { SendMessage, SendOutcome } from '../../domain/customer-messages/delivery'

export interface MailerSettings {
  /** `smtp://user:password@host:587`, `smtps://…` */
  url: string
  /** `Shop <orders@shop.example>` */
  from: string
  timeoutMs: number
}

export interface Mailer {
  send: SendMessage
  close(): void
}

export function connectMailer({ url, from, timeoutMs }: MailerSettings): Mailer {
  const transport = createTransport(url, { from, disableFileAccess: true, disableUrlAccess: true })
  Object.assign(transport.options, { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs })
  return {
    async send({ messageId, to, subject, text, html }) {
      try {
        // As an object: what looks like a list of addresses is one address.
        await transport.sendMail({ messageId, to: { name: '', address: to }, subject, text, html })
        return { is: 'accepted' }
      } catch (error) {
        return failureOf(error as SmtpError)
      }
    },
    close: () => transport.close(),
  }
}

interface SmtpError extends Error {
  code?: string
  syscall?: string
  timeoutType?: string
  responseCode?: number
}

/** Before a word was said to the server. What breaks later bears the same codes whether the message was handed over or not. */
const beforeTheMessage: readonly (string | undefined)[] = ['EDNS', 'EAUTH', 'ECONFIG', 'ETLS', 'CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT']

/** The server said no: for good (5xx) or for now (4xx). It said nothing: it may have the message, unless no connection ever came about. */
function failureOf({ message, code, syscall, timeoutType, responseCode }: SmtpError): SendOutcome {
  const error = message.replace(/\S+@\S+/g, '…')
  if (responseCode !== undefined && responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')) return { is: 'refused', error }
  if (responseCode !== undefined && responseCode >= 400) return { is: 'not_accepted', error }
  if (code === 'EENVELOPE') return { is: 'refused', error }
  const cameToNothing = syscall === 'connect' || beforeTheMessage.includes(code) || beforeTheMessage.includes(timeoutType)
  return { is: cameToNothing ? 'not_accepted' : 'unknown', error }
}
