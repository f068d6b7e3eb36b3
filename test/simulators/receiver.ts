/** A receiver of webhooks for tests: keeps every attempt with its raw body and headers, and fails on demand. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Attempt {
  body: Buffer
  headers: IncomingHttpHeaders
  atMs: number
}

export interface Receiver {
  url: string
  attempts: Attempt[]
  /** The bodies received so far, parsed. */
  bodies<T>(): T[]
  /** Answers the next `n` attempts with 500. */
  failNext(n: number): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const attempts: Attempt[] = []
  let failures = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      attempts.push({ body: Buffer.concat(chunks), headers: request.headers, atMs: Date.now() })
      response.writeHead(failures > 0 ? 500 : 200).end()
      failures = Math.max(0, failures - 1)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    attempts,
    bodies: <T>() => attempts.map((attempt) => JSON.parse(attempt.body.toString()) as T),
    failNext: (n) => {
      failures = n
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Waits until `look` finds something. @throws what was looked for, when it does not come about in time */
export async function eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, withinMs = 8_000): Promise<T> {
  const deadlineMs = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadlineMs) throw new Error(`did not come about within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Sends a control call and reads its answer. */
export async function control<T = Record<string, unknown>>(
  base: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<{ status: number; json: T }> {
  const init = body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${base}/control${path}`, init)
  return { status: response.status, json: (await response.json()) as T }
}
