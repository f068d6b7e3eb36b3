/**
 * Idempotency keys, as the provider keeps them: the first answer to a key is stored, a 500 included, and given again for a day;
 * the same key with other parameters is an error; while the first request is still being worked on, the key is in use.
 */
import { createHash } from 'node:crypto'
import { ApiError, invalidRequest } from './api-error'
import type { Provider, StoredAnswer } from './records'

export const keyLifetimeMs = 24 * 3_600_000

export interface Claim {
  /** The stored answer, when this key was answered before. */
  stored?: StoredAnswer
  /** Stores the answer under the key; it is given again from now on, unless the key is still in use. */
  store(answer: { status: number; body: string; requestId: string }): void
  /** The first request has been answered. */
  release(): void
}

export interface KeyRing {
  /** @throws ApiError 400 `idempotency_error` for other parameters or another path, 409 `idempotency_key_in_use` */
  claim(key: string | undefined, path: string, params: unknown): Claim
}

export function keyRing(provider: Pick<Provider, 'books'>): KeyRing {
  const inUse = new Map<string, { path: string; fingerprint: string }>()
  const keyless: Claim = { store: () => undefined, release: () => undefined }
  return {
    claim: (key, path, params) => {
      if (key === undefined || key === '') return keyless
      if (key.length > 255) throw invalidRequest('Idempotency keys can be at most 255 characters long.', { param: 'Idempotency-Key' })
      const fingerprint = fingerprintOf(params)
      const stored = provider.books.get('key', key)
      const fresh = stored && Date.now() - stored.createdMs < keyLifetimeMs ? stored : undefined
      const first = inUse.get(key) ?? fresh
      if (first && first.path !== path) throw reused(key, `for the same endpoint they were first used for ('${first.path}' vs '${path}')`)
      if (first && first.fingerprint !== fingerprint) throw reused(key, 'with the same parameters they were first used with')
      if (inUse.has(key)) throw keyInUse(key)
      if (fresh) return { ...keyless, stored: fresh }
      inUse.set(key, { path, fingerprint })
      return {
        store: (answer) => provider.books.put('key', { id: key, path, fingerprint, createdMs: Date.now(), ...answer }),
        release: () => void inUse.delete(key),
      }
    },
  }
}

/** The same for the same parameters in any order. */
function fingerprintOf(params: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(params)))
    .digest('base64')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  )
}

const reused = (key: string, how: string): ApiError =>
  new ApiError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used ${how}. Try using a key other than '${key}' if you meant to execute a different request.`,
  })

const keyInUse = (key: string): ApiError =>
  new ApiError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key: ${key}. Please try again later.`,
  })
