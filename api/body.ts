/** Reads a request's body within a limit, and turns it into JSON that PostgreSQL can keep: broken, oversized or mislabelled bodies are refused before any schema sees them. */
import type { IncomingMessage } from 'node:http'
import { deepest, isDeeper } from '../domain/nesting'
import { refuse } from '../domain/refusals'
import { pointerTo, refuseField } from './problem'

export const bodyLimitBytes = 1024 * 1024
/** Feeds (counts, bulk orders) may be longer than a single document. */
export const feedLimitBytes = 32 * 1024 * 1024

/** How long a caller may take to send a whole body. */
const wholeBodyMs = 30_000

/** The whole body. What comes after the limit is read and thrown away, so that the caller hears the refusal instead of a broken connection. @throws ClientGone when it is not there in time */
export function readBody(req: IncomingMessage, limitBytes: number, withinMs = wholeBodyMs): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const tooLarge = (): void => {
      req.removeListener('data', take)
      req.resume()
      reject(refuse('request.too_large', { limitBytes }))
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limitBytes) tooLarge()
      else chunks.push(chunk)
    }
    const late = setTimeout(() => req.destroy(new ClientGone()), withinMs)
    req.once('close', () => clearTimeout(late))
    req.once('end', () => clearTimeout(late))
    if (Number(req.headers['content-length'] ?? 0) > limitBytes) return tooLarge()
    req.on('data', take)
    req.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    req.on('error', reject)
    req.on('aborted', () => reject(new ClientGone()))
  })
}

/** The caller hung up before the request was complete; there is nobody to answer. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

export const mediaType = (contentType: string | undefined): string => (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()

/** A JSON document. No body at all reads as `{}`, for commands that say everything with their path. */
export function parseJson(body: Buffer, contentType: string | undefined): unknown {
  const media = mediaType(contentType)
  if (body.length === 0 && media === '') return {}
  if (media !== 'application/json') throw refuse('request.unsupported_media_type', { contentType: media })
  return storable(parse(textOf(body)), body)
}

/** A JSON array, or one JSON value per line. A line that is not JSON becomes `brokenLine`, so that the others can still be taken. */
export function parseFeed(body: Buffer, contentType: string | undefined): unknown {
  const media = mediaType(contentType)
  if (media === 'application/json') return parse(textOf(body))
  if (media !== 'application/x-ndjson' && media !== 'application/ndjson') throw refuse('request.unsupported_media_type', { contentType: media })
  return textOf(body)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown
      } catch {
        return brokenLine
      }
    })
}
export const brokenLine = Symbol('not JSON')

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch {
    throw refuse('request.not_json', {}, 'The body is not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse('request.not_json', {}, `The body is not valid JSON: ${whereBroken(error, text)}`)
  }
}

/** The position only: V8's own message quotes the body, which may hold what must not reach a log. */
function whereBroken(error: unknown, text: string): string {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
  return position === undefined ? `it ends too early, after ${text.length} characters` : `at character ${position}`
}

/** Cheap first look at the bytes; only then is the value walked. */
function storable(value: unknown, body: Buffer): unknown {
  if (isDeeper(value)) throw refuse('request.invalid', {}, `The body is nested deeper than ${deepest} levels`)
  if (body.includes('\\u')) refuseUnstorable(value, [])
  return value
}

/** PostgreSQL keeps neither the character U+0000 nor half of a surrogate pair. */
export function refuseUnstorable(value: unknown, path: readonly PropertyKey[]): void {
  if (typeof value === 'string') {
    if (isUnstorable(value)) throw refuseField(pointerTo(path), 'Must be well-formed Unicode without the character U+0000')
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (isUnstorable(key)) throw refuseField(pointerTo(path), 'Field names must be well-formed Unicode without the character U+0000')
      refuseUnstorable(inner, [...path, key])
    }
  }
}

const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/
export const isUnstorable = (text: string): boolean => text.includes('\u0000') || loneSurrogate.test(text)
