/** Reads what an activity's failure means: a refusal (an answer), a fault (the outside world), or neither: then it is our bug and must park the task. */
import { ActivityFailure, ApplicationFailure, isCancellation, TemporalFailure, TimeoutFailure } from '@temporalio/workflow'
import { isRefusalCode, neverTaken, refusals, type RefusalCode } from '../../domain/refusals'

/** A named way in which an order's thread ends before its story is told. */
export class Ending extends Error {
  override name = 'Ending'
  constructor(readonly code: RefusalCode) {
    super(refusals[code].says)
  }
}

/** The refusal inside a failure, if that is what it is. */
export function refusalIn(cause: unknown): (ApplicationFailure & { type: RefusalCode }) | undefined {
  const inner = cause instanceof ActivityFailure ? cause.cause : cause
  return inner instanceof ApplicationFailure && isRefusalCode(inner.type) ? (inner as ApplicationFailure & { type: RefusalCode }) : undefined
}

/** The outside world failed past its first patience: a provider's fault, or an attempt that did not come back in time. */
export const isFault = (cause: unknown): boolean =>
  cause instanceof ActivityFailure && !isCancellation(cause) && refusalIn(cause) === undefined && (cause.cause instanceof ApplicationFailure || cause.cause instanceof TimeoutFailure)

/** What went wrong in one line, for the exception queue. */
export const faultMessage = (cause: unknown): string => (cause instanceof ActivityFailure && cause.cause ? cause.cause.message : String(cause))

/** Refuses a command: thrown from a validator or handler it becomes the answer, never a failed workflow task. */
export const refusing = (code: RefusalCode, data: Record<string, unknown> = {}): ApplicationFailure =>
  ApplicationFailure.create({ message: refusals[code].says, type: code, nonRetryable: true, details: [data] })

/** Runs a command's step and passes its refusal on as the answer itself; so does it end with a bug of ours that no repeat gets past. */
export async function answering<Answer>(step: () => Promise<Answer>): Promise<Answer> {
  try {
    return await step()
  } catch (cause) {
    throw refusalIn(cause) ?? neverTakenIn(cause) ?? cause
  }
}

function neverTakenIn(cause: unknown): ApplicationFailure | undefined {
  const inner = cause instanceof ActivityFailure ? cause.cause : cause
  return inner instanceof ApplicationFailure && inner.type === neverTaken ? refusing('command.broken', { rule: inner.message }) : undefined
}

/** A Temporal failure thrown from a workflow would end it for good; as a plain error it fails the task, which is tried again until the code is mended. */
export const parking = (cause: unknown): unknown => (cause instanceof TemporalFailure ? new Error(`unexpected here: ${faultMessage(cause)}`, { cause }) : cause)
