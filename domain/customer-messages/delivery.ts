/** Sending a message once, over a wire on which an answer can be lost: what may be tried again, and what may not. */

export interface OutgoingMessage {
  /** The same for every attempt, so that a mailbox can tell a repeat. */
  messageId: string
  to: string
  subject: string
  text: string
  html: string
}

/** `not_accepted`: it was surely not taken, and may be tried again. `refused`: surely not taken, and never will be. `unknown`: it may have been taken. */
export type SendOutcome = { is: 'accepted' } | { is: 'not_accepted' | 'refused' | 'unknown'; error: string }
export type SendMessage = (message: OutgoingMessage) => Promise<SendOutcome>

const giveUpAfter = 12

/** Minutes until the next attempt, ever more; undefined: it is given up, after about a day. */
export const nextTryMinutes = (attempts: number): number | undefined => (attempts >= giveUpAfter ? undefined : Math.min(240, 2 ** (attempts - 1)))
