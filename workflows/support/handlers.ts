/**
 * What a story listens to, shielded. Whoever presses Cancel in the Temporal UI cancels the scope in which handlers run, for good: the order hears that as one wish, which it may refuse. What it is
 * told and asked before and after is done all the same.
 */
import { CancellationScope, setHandler as register } from '@temporalio/workflow'

type Handler = (...args: never[]) => unknown

/** For updates and signals; a query has nothing to wait for. */
export const setHandler = ((definition: never, handler: Handler, options: never): void =>
  register(definition, ((...args: never[]) => CancellationScope.nonCancellable(async () => handler(...args))) as never, options)) as unknown as typeof register
