/** Puts a simulator on a loopback port, and takes it off again without waiting for callers that hold their connection open. */
import type { Express } from 'express'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Listening {
  url: string
  port: number
  close(): Promise<void>
}

/** @param port 0 takes any free port. @throws when the port is taken, naming it. */
export async function listen(app: Express, port: number): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: 65_000 }, app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(new Error(`cannot listen on 127.0.0.1:${port}: ${cause.message}`, { cause })))
    server.listen(port, '127.0.0.1', resolve)
  })
  const taken = (server.address() as AddressInfo).port
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${taken}`, port: taken, close }
}

/** Runs a simulator as a process of its own: says where it listens, and closes its books when asked to stop. */
export async function runUntilStopped(name: string, start: () => Promise<Listening>): Promise<void> {
  try {
    const running = await start()
    process.stdout.write(`${name} listens on ${running.url}\n`)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close().then(() => process.exit(0)))
  } catch (cause) {
    process.stderr.write(`${name}: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    process.exit(1)
  }
}

/** Reads a flag that must be a whole number. */
export function wholeFlag(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,15}$/.test(value)) throw new Error(`--${name} must be a whole number, not "${value}"`)
  return Number(value)
}
