/** Reads form-encoded parameters as strictly as the provider: unknown, missing and malformed ones are refused by name before anything happens. */
import { invalidRequest } from './api-error'

/** Reads one parameter; `undefined` when it was not sent. */
export type Param<T> = (value: unknown, name: string) => T
type Spec = Record<string, Param<unknown>>
export type Read<S extends Spec> = { [K in keyof S]: ReturnType<S[K]> }

/** @throws ApiError 400 `parameter_unknown` and what the readers throw */
export function readParams<S extends Spec>(given: unknown, spec: S): Read<S> {
  const raw = (given ?? {}) as Record<string, unknown>
  const unknown = Object.keys(raw).find((name) => !Object.hasOwn(spec, name))
  if (unknown !== undefined) throw invalidRequest(`Received unknown parameter: ${unknown}`, { code: 'parameter_unknown', param: unknown })
  return Object.fromEntries(Object.entries(spec).map(([name, read]) => [name, read(raw[name], name)])) as Read<S>
}

export const required =
  <T>(read: Param<T | undefined>): Param<T> =>
  (value, name) => {
    if (value === undefined || value === '') throw invalidRequest(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
    return read(value, name) as T
  }

export const text: Param<string | undefined> = (value, name) => {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string' && value.length <= 5000) return value
  throw invalidRequest(`Invalid string: ${JSON.stringify(value)}`, { param: name })
}

/** Accepted as the real provider does, and without effect here. */
export const ignored: Param<undefined> = () => undefined

export const wholeNumber =
  (min: number, max = 99_999_999): Param<number | undefined> =>
  (value, name) => {
    if (value === undefined) return undefined
    if (typeof value !== 'string' || !/^-?\d{1,15}$/.test(value))
      throw invalidRequest(`Invalid integer: ${String(value)}`, { code: 'parameter_invalid_integer', param: name })
    const number = Number(value)
    if (number < min) throw invalidRequest(`This value must be greater than or equal to ${min}.`, { code: 'parameter_invalid_integer', param: name })
    if (number > max)
      throw invalidRequest(`This value must be no more than ${max}.`, {
        code: name === 'amount' ? 'amount_too_large' : 'parameter_invalid_integer',
        param: name,
      })
    return number
  }

export const flag: Param<boolean | undefined> = (value, name) => {
  if (value === undefined || value === '') return undefined
  if (value === 'true' || value === 'false') return value === 'true'
  throw invalidRequest(`Invalid boolean: ${String(value)}`, { param: name })
}

export const choice =
  <const T extends string>(choices: readonly T[]): Param<T | undefined> =>
  (value, name) => {
    if (value === undefined || value === '') return undefined
    if (choices.includes(value as T)) return value as T
    throw invalidRequest(`Invalid ${name}: must be one of ${choices.join(', ')}`, { param: name })
  }

const knownCurrencies = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))

export const currency: Param<string | undefined> = (value, name) => {
  if (value === undefined) return undefined
  const code = typeof value === 'string' ? value.toLowerCase() : ''
  if (knownCurrencies.has(code)) return code
  throw invalidRequest(`Invalid currency: ${String(value)}`, { param: name })
}

/** `metadata[key]=value`: at most 50 keys of 40 characters, values of 500. An empty value removes the key. */
export const textMap: Param<Record<string, string> | undefined> = (value, name) => {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidRequest(`Invalid object`, { param: name })
  const entries = Object.entries(value as Record<string, unknown>)
  if (entries.length > 50) throw invalidRequest('Metadata can have at most 50 keys', { param: name })
  for (const [key, entry] of entries) {
    if (typeof entry === 'string' && key.length <= 40 && entry.length <= 500) continue
    throw invalidRequest(`Metadata keys have at most 40 characters and values at most 500: ${key}`, { param: `${name}[${key}]` })
  }
  return Object.fromEntries(entries as [string, string][])
}

export const textList: Param<string[] | undefined> = (value, name) => {
  if (value === undefined || value === '') return undefined
  const list: unknown[] = Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value) : [value]
  if (list.every((entry) => typeof entry === 'string')) return list
  throw invalidRequest('Invalid array', { param: name })
}

/** `created=5` or `created[gte]=5&created[lt]=9`, in Unix seconds. */
export const timeRange: Param<((seconds: number) => boolean) | undefined> = (value, name) => {
  if (value === undefined || value === '') return undefined
  const bounds: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : [['eq', value]]
  const tests = bounds.map(([bound, limit]) => {
    const compare = Object.hasOwn(comparisons, bound) ? comparisons[bound as keyof typeof comparisons] : undefined
    if (!compare) throw invalidRequest(`Received unknown parameter: ${name}[${bound}]`, { code: 'parameter_unknown', param: `${name}[${bound}]` })
    const seconds = wholeNumber(0, Number.MAX_SAFE_INTEGER)(limit, name)!
    return (at: number): boolean => compare(at, seconds)
  })
  return (at) => tests.every((test) => test(at))
}

export const comparisons = {
  eq: (a: number, b: number) => a === b,
  gt: (a: number, b: number) => a > b,
  gte: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  lte: (a: number, b: number) => a <= b,
} as const
