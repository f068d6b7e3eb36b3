/**
 * Stands in for `@temporalio/workflow` and for the clock of workflows, so that the story of an order runs as it is written, in this process and without a server. Waiting takes no time:
 * a timer rings when somebody lets its time come. Nothing is replayed here; that is what test/replay is for.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState, TemporalFailure, TimeoutFailure } from '@temporalio/common'

export { ActivityFailure, ApplicationFailure, TemporalFailure, TimeoutFailure }
export const ActivityCancellationType = { WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED' } as const

type Activity = (...args: unknown[]) => Promise<unknown>
interface Handler {
  run: (...args: unknown[]) => unknown
  validator?: (...args: unknown[]) => void
}
interface Blocked {
  fact: () => boolean
  resolve: () => void
}
interface Timer {
  at: number
  ring: () => void
}

/** One workflow as it runs here. */
export class Run {
  readonly handlers = new Map<string, Handler>()
  readonly underWay = new Set<Promise<unknown>>()
  readonly blocked = new Set<Blocked>()
  readonly timers = new Set<Timer>()
  readonly answers = new Map<string, Promise<unknown>>()
  readonly firstExecutionRunId = randomUUID()
  handling = 0
  checking = false
  isOver = false
  /** How far its clock is ahead. */
  aheadMs = 0
  /** Our bug: on a server the task would be parked. */
  broken: unknown
  /** @param activities by name @param attempt runs one activity once, as a worker would */
  constructor(
    readonly orderId: string,
    readonly activities: Record<string, Activity>,
    readonly attempt: (activity: () => Promise<unknown>) => Promise<unknown>,
  ) {}

  begin(story: () => Promise<unknown>): void {
    inside.run({ run: this, scope: new CancellationScope({ parent: null }) }, () => {
      void story().then(
        () => void (this.isOver = true),
        (cause: unknown) => void (this.broken ??= cause),
      )
    })
    this.look()
  }

  /** Tells it something and gives what its handler gives. @param name with its kind: `update packFulfillment` */
  tell(name: string, args: readonly unknown[]): Promise<unknown> {
    const handler = this.handlers.get(name)
    if (!handler) throw new Error(`nobody listens for ${name}`)
    return inside.run({ run: this, scope: new CancellationScope({ parent: null }) }, async () => {
      this.handling += 1
      try {
        handler.validator?.(...args)
        return await handler.run(...args)
      } catch (cause) {
        if (!(cause instanceof TemporalFailure)) this.broken ??= cause
        throw cause
      } finally {
        this.handling -= 1
        this.look()
      }
    })
  }

  /** Sees which waits are over, once everything that was just said has been thought through. */
  look(): void {
    if (this.checking) return
    this.checking = true
    setImmediate(() => {
      this.checking = false
      const over = inside.run({ run: this, scope: new CancellationScope({ parent: null }) }, () => [...this.blocked].filter((b) => b.fact()))
      for (const blocked of over) {
        this.blocked.delete(blocked)
        blocked.resolve()
      }
      if (over.length) this.look()
    })
  }

  /** Until it only waits for others, or for time. */
  async quiet(): Promise<void> {
    do {
      await Promise.allSettled(this.underWay)
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.underWay.size > 0 || this.checking)
  }

  /** For whoever has to find out why it does not go on: what waits, and when its timers ring, in milliseconds from now. */
  told(): object {
    return { blocked: [...this.blocked].map((b) => String(b.fact)), timers: [...this.timers].map((t) => t.at - Date.now()), handling: this.handling, underWay: this.underWay.size }
  }

  /** The next of its timers rings. @returns false when there is none. */
  elapse(): boolean {
    const next = [...this.timers].sort((a, b) => a.at - b.at)[0]
    if (!next) return false
    this.aheadMs = Math.max(this.aheadMs, next.at - Date.now())
    this.timers.delete(next)
    next.ring()
    this.look()
    return true
  }
}

const inside = new AsyncLocalStorage<{ run: Run; scope: CancellationScope }>()
export const currentRun = (): Run | undefined => inside.getStore()?.run
const here = (): { run: Run; scope: CancellationScope } => {
  const at = inside.getStore()
  if (!at) throw new Error('only inside a workflow')
  return at
}

/** In place of workflows/support/clock.ts: the clock of the workflow that asks. */
export const now = (): number => Date.now() + (currentRun()?.aheadMs ?? 0)
export const isoIn = (ms: number): string => new Date(now() + ms).toISOString()
export const isoNow = (): string => isoIn(0)

export class CancellationScope {
  readonly cancelRequested: Promise<never>
  private readonly cancellable: boolean
  private isCancelled = false
  private reject!: (cause: Error) => void
  constructor({ cancellable = true, parent = here().scope }: { cancellable?: boolean; parent?: CancellationScope | null } = {}) {
    this.cancellable = cancellable
    this.cancelRequested = new Promise<never>((_, reject) => {
      this.reject = (cause) => {
        this.isCancelled = true
        reject(cause)
      }
    })
    this.cancelRequested.catch(() => undefined)
    if (!parent?.cancellable) return
    this.isCancelled = parent.isCancelled
    parent.cancelRequested.catch((cause: unknown) => this.reject(cause as Error))
  }
  get consideredCancelled(): boolean {
    return this.isCancelled && this.cancellable
  }
  /** What waits in it ends when the scope is cancelled. */
  onCancel(end: (cause: Error) => void): void {
    if (this.cancellable) this.cancelRequested.catch((cause: unknown) => end(cause as Error))
  }
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return inside.run({ run: here().run, scope: this }, async () => await work())
  }
  cancel(): void {
    this.reject(new CancelledFailure('Cancellation scope cancelled'))
    here().run.look()
  }
  static current(): CancellationScope {
    return here().scope
  }
  static nonCancellable<Result>(work: () => Promise<Result>): Promise<Result> {
    return new CancellationScope({ cancellable: false }).run(work)
  }
}

export function condition(fact: () => boolean): Promise<void> {
  const { run, scope } = here()
  return new Promise((resolve, reject) => {
    if (scope.consideredCancelled) return scope.onCancel(reject)
    const blocked = { fact, resolve }
    scope.onCancel((cause) => {
      run.blocked.delete(blocked)
      reject(cause)
    })
    if (fact()) return resolve()
    run.blocked.add(blocked)
  })
}

export function sleep(ms: number): Promise<void> {
  const { run, scope } = here()
  return new Promise((resolve, reject) => {
    if (scope.consideredCancelled) return scope.onCancel(reject)
    const timer = { at: now() + ms, ring: resolve }
    scope.onCancel((cause) => {
      run.timers.delete(timer)
      reject(cause)
    })
    run.timers.add(timer)
  })
}

interface Patience {
  retry?: { maximumAttempts?: number; nonRetryableErrorTypes?: readonly string[] }
  cancellationType?: string
}
const proxy = (options: Patience): Record<string, Activity> =>
  new Proxy({}, { get: (_, name: string) => (...args: unknown[]) => call(name, args, options) })
export { proxy as proxyActivities, proxy as proxyLocalActivities }

/** Our own steps are tried until they are there; but what a test cannot outwait is our bug. */
const attemptsAtMost = 25

function call(name: string, args: unknown[], { retry, cancellationType }: Patience): Promise<unknown> {
  const { run, scope } = here()
  return new Promise((resolve, reject) => {
    if (scope.consideredCancelled) return scope.onCancel(reject)
    if (cancellationType === undefined) scope.onCancel((cause) => reject(new ActivityFailure('cancelled', name, '1', RetryState.CANCEL_REQUESTED, undefined, cause)))
    const answer = attempts(run, name, wired(args) as unknown[], retry).then((result) => resolve(wired(result)), reject)
    const done = answer.finally(() => {
      run.underWay.delete(done)
      run.look()
    })
    run.underWay.add(done)
  })
}

async function attempts(run: Run, name: string, args: readonly unknown[], { maximumAttempts: atMost = Number.POSITIVE_INFINITY, nonRetryableErrorTypes = [] }: NonNullable<Patience['retry']> = {}): Promise<unknown> {
  for (let n = 1; ; n += 1) {
    try {
      return await run.attempt(() => run.activities[name]!(...args))
    } catch (cause) {
      const final = cause instanceof ApplicationFailure && (cause.nonRetryable === true || nonRetryableErrorTypes.includes(cause.type ?? ''))
      if (!final && n < Math.min(atMost, attemptsAtMost)) continue
      if (n >= attemptsAtMost) run.broken ??= cause
      const inner = cause instanceof TemporalFailure ? cause : ApplicationFailure.fromError(cause)
      throw new ActivityFailure('Activity task failed', name, '1', final ? RetryState.NON_RETRYABLE_FAILURE : RetryState.MAXIMUM_ATTEMPTS_REACHED, undefined, inner)
    }
  }
}

/** As it comes out on the other side of the wire. */
export const wired = (value: unknown): unknown => (value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown))

interface Named {
  name: string
}
const named = (kind: 'update' | 'signal' | 'query') => (name: string): Named => ({ name: `${kind} ${name}` })
export const defineUpdate = named('update')
export const defineSignal = named('signal')
export const defineQuery = named('query')
export const setHandler = ({ name }: Named, run: Handler['run'], { validator }: { validator?: Handler['validator'] } = {}): void => void here().run.handlers.set(name, { run, ...(validator && { validator }) })
export const allHandlersFinished = (): boolean => here().run.handling === 0
export const isCancellation = (cause: unknown): boolean => cause instanceof CancelledFailure || (cause instanceof ActivityFailure && cause.cause instanceof CancelledFailure)
export const patched = (): boolean => true
export const workflowInfo = (): { taskQueue: string; firstExecutionRunId: string } => ({ taskQueue: 'orders', firstExecutionRunId: here().run.firstExecutionRunId })
export const setCurrentDetails = (): void => undefined
export const upsertSearchAttributes = (): void => undefined
