/** What the api asks of an order's workflow, in the api's own words; implemented over the Temporal client in relay/. The api never loads workflow code. */
import type { UpdateName } from '../domain/messages'

export interface OrderThreads {
  /**
   * Sends a command to the order's workflow and waits for its answer. Sent again under the same `commandId`, it gives the first answer.
   * @throws Refusal when the order says no; NoAnswerYet when nothing was heard within `deadlineMs`.
   */
  ask(command: OrderAsk): Promise<unknown>
  /** Whatever the order waits for is tried again now. @throws NoAnswerYet when the order cannot be reached. */
  retryException(orderId: string, exceptionId: string): Promise<void>
}

export interface OrderAsk {
  orderId: string
  update: UpdateName
  args: object & { commandId: string }
  deadlineMs: number
}

/** The command is recorded and will be carried out, but its answer did not come in time. */
export class NoAnswerYet extends Error {
  override name = 'NoAnswerYet'
}
