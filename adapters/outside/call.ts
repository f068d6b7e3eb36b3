/** A call to an api whose address somebody else has named, e.g. a channel's: the whole answer, within a time and a size, from a checked address, and from nowhere that it redirects to. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { DestinationSettings } from './destination'
import { outsideRequests } from './requests'

export interface OutsideCall {
  method?: 'GET' | 'POST' | 'PUT'
  headers: Record<string, string>
  body?: string
}
export interface OutsideAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}
/** @throws ForbiddenDestination where it may not go; any other error: it may have been heard */
export type CallOutside = (url: string, call: OutsideCall) => Promise<OutsideAnswer>

export interface CallSettings extends DestinationSettings {
  timeoutMs?: number
  mostBytes?: number
}

export function createCallOutside({ timeoutMs = 20_000, mostBytes = 64 * 1_048_576, ...settings }: CallSettings): CallOutside {
  const requests = outsideRequests(settings)
  return (url, { method = 'GET', headers, body }) =>
    answered(() => requests.open(url, { method, headers: { ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) }, signal: AbortSignal.timeout(timeoutMs) }), body, mostBytes)
}

/** Opened inside, so that what is thrown at once is a rejection like any other. */
const answered = (open: () => ClientRequest, body: string | undefined, mostBytes: number): Promise<OutsideAnswer> =>
  new Promise((resolve, reject) => {
    const request = open()
    request.once('error', reject)
    request.once('response', (response) => void read(response, mostBytes).then(resolve, reject))
    request.end(body)
  })

async function read(response: IncomingMessage, mostBytes: number): Promise<OutsideAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`) // leaving the loop hangs up
    chunks.push(chunk)
  }
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }
}
