/** Which ports of this machine are free, and which we take: the one we had last time, else the usual one, else any. */
import { createServer, type AddressInfo } from 'node:net'

/** The port itself (0: any), when nobody listens on it; undefined otherwise. */
export function tryPort(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen({ port, host, exclusive: true }, () => {
      const { port: taken } = probe.address() as AddressInfo
      probe.close(() => resolve(taken))
    })
  })
}

export async function freePort(): Promise<number> {
  return (await tryPort(0))!
}

/** @param wishes in order of preference; a port that is in `taken` is left alone. */
export async function choosePort(wishes: readonly (number | undefined)[], taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (const wish of wishes) {
    if (wish !== undefined && !taken.has(wish) && (await tryPort(wish)) !== undefined) return wish
  }
  const any = await freePort()
  return taken.has(any) ? choosePort([], taken) : any
}
