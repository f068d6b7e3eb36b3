/** Runs one POST from parameters to answer: idempotency key, fault on demand, effect, stored answer — in the order the real provider does. */
import type { Request, Response } from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../faults'
import { aboutOf } from './about'
import { ApiError, internalError } from './api-error'
import type { Claim, KeyRing } from './idempotency'
import { newId, type Provider, type StoredAnswer } from './records'

/** A fault hits opening only where it names it: no money moves by it. */
export const operations = ['open', 'authorize', 'capture', 'void', 'refund'] as const
export type Operation = (typeof operations)[number]
export const faultKinds = ['unheard', 'slow', 'timeout_after_effect', 'error_500', 'decline'] as const

/** One kind of POST. `read` refuses before anything is executed, so such refusals are not stored; whatever `run` answers is. */
export interface Call<Ask> {
  read(request: Request): Ask
  /** What it does to money, if anything: faults are aimed at it. */
  operation(ask: Ask): Operation | undefined
  run(ask: Ask, how: { declined: boolean }): object
}

type Answer = Pick<StoredAnswer, 'status' | 'body' | 'requestId'>

const slowMs = 3_000
const lostAnswerMs = 30_000

export async function execute<Ask>(provider: Provider, keys: KeyRing, call: Call<Ask>, request: Request, response: Response): Promise<void> {
  const ask = call.read(request)
  const key = request.get('idempotency-key')
  const claim = keys.claim(key, request.originalUrl.split('?')[0]!, request.body ?? {})
  if (claim.stored)
    return send(response, claim.stored, { 'Idempotency-Key': key!, 'Idempotent-Replayed': 'true', 'Original-Request': claim.stored.requestId })
  try {
    const operation = call.operation(ask)
    const fault = operation && provider.faults.take(operation, { about: aboutOf(provider, request), onlyNamed: operation === 'open' })
    if (fault?.kind === 'unheard') return void request.socket.resetAndDestroy()
    const answer = settle(provider, claim, fault, () => call.run(ask, { declined: fault?.kind === 'decline' }))
    await deliver(provider, claim, fault, response, answer, key)
  } finally {
    claim.release()
  }
}

/** Does the effect, or not, and stores the answer, in one commit. */
function settle(provider: Provider, claim: Claim, fault: Fault | undefined, run: () => object): Answer {
  const broken = fault?.kind === 'error_500'
  const outcome = broken && !fault.afterEffect ? failed(internalError()) : perform(run)
  const { status, body } = broken ? failed(internalError()) : outcome
  const answer = { status, body: JSON.stringify(body), requestId: newId('req', 14) }
  claim.store(answer)
  provider.books.commit()
  return answer
}

/** An error the provider answers with is an answer like any other. */
function perform(run: () => object): { status: number; body: object } {
  try {
    return { status: 200, body: run() }
  } catch (error) {
    if (error instanceof ApiError) return failed(error)
    throw error
  }
}

const failed = (error: ApiError): { status: number; body: object } => ({ status: error.status, body: error.body })

/**
 * Sends the answer, late or never where a fault says so. Late, the provider is still working, so the key stays in use.
 * Lost, it is the network's doing, and the key answers at once.
 */
async function deliver(
  provider: Provider,
  claim: Claim,
  fault: Fault | undefined,
  response: Response,
  answer: Answer,
  key: string | undefined,
): Promise<void> {
  const lost = fault?.kind === 'timeout_after_effect'
  if (lost) claim.release()
  const delayMs = fault?.delayMs ?? (lost ? lostAnswerMs : fault?.kind === 'slow' ? slowMs : 0)
  if (delayMs > 0) await pause(delayMs, undefined, { signal: provider.stop }).catch(() => undefined)
  if (lost || provider.stop.aborted) response.destroy()
  else send(response, answer, key === undefined ? {} : { 'Idempotency-Key': key })
}

function send(response: Response, answer: Answer, headers: Record<string, string>): void {
  const retry: Record<string, string> = answer.status >= 500 ? { 'Stripe-Should-Retry': 'false' } : {}
  response
    .status(answer.status)
    .set({ 'Content-Type': 'application/json', 'Request-Id': newId('req', 14), ...retry, ...headers })
    .send(answer.body)
}
