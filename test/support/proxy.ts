/** Stands between a worker and the outside, so that a story can stop time at a known point: before a request gets there, or before its answer gets back. */
import { createServer as createHttpServer, request, type IncomingMessage } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface HoldingProxy {
  url: string
  /** The next request whose path matches is held at that point. @returns a promise for the moment it is held. */
  hold(path: RegExp, point: 'before' | 'after'): Promise<void>
  /** Lets go of what is held. */
  release(): void
  close(): Promise<void>
}

/** An HTTP proxy in front of `target`. */
export async function holdingProxy(target: string): Promise<HoldingProxy> {
  let wish: { path: RegExp; point: 'before' | 'after'; reached: () => void; gate: Promise<void> } | undefined
  let open: () => void = () => undefined
  const at = async (point: 'before' | 'after', path: string): Promise<void> => {
    const mine = wish
    if (!mine || mine.point !== point || !mine.path.test(path)) return
    wish = undefined
    mine.reached()
    await mine.gate
  }
  const server = createHttpServer((incoming, outgoing) => {
    void readAll(incoming).then(async (body) => {
      await at('before', incoming.url!)
      const forward = request(new URL(incoming.url!, target), { method: incoming.method, headers: incoming.headers }, (answer) => {
        void readAll(answer).then(async (answered) => {
          await at('after', incoming.url!)
          outgoing.writeHead(answer.statusCode!, answer.headers)
          outgoing.end(answered)
        })
      })
      forward.on('error', () => outgoing.destroy())
      forward.end(body)
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    hold: (path, point) =>
      new Promise((reached) => {
        const gate = new Promise<void>((resolve) => (open = resolve))
        wish = { path, point, reached, gate }
      }),
    release: () => open(),
    close: () => closed(server, () => server.closeAllConnections()),
  }
}

export interface CuttingProxy {
  address: string
  /** From now on nothing the client says gets through. */
  cut(): void
  close(): Promise<void>
}

/** A TCP proxy in front of `target` (`host:port`). */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const [host, port] = target.split(':') as [string, string]
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createTcpServer((client) => {
    const upstream = connect(Number(port), host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (data) => void (isCut || upstream.write(data)))
    upstream.on('data', (data) => void client.write(data))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const own = await listen(server)
  return {
    address: `127.0.0.1:${own}`,
    cut: () => void (isCut = true),
    close: () => closed(server, () => sockets.forEach((s) => s.destroy())),
  }
}

const listen = (server: Server): Promise<number> => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

const closed = (server: Server, cut: () => void): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    cut()
  })

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
