/** Somebody outside who listens to webhooks: checks each with the `standardwebhooks` package, keeps it, and answers as told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

export interface HeardWebhook {
  id: string
  type: string
  timestamp: string
  data: { orderId?: string; channel?: string; channelOrderId?: string; seq?: number; details: Record<string, unknown> }
  body: string
  headers: IncomingHttpHeaders
  answered: number
}

export interface WebhookReceiver {
  url: string
  /** Every attempt, in the order it came. */
  heard: HeardWebhook[]
  /** What it said yes to, each once: what its sender did not hear in time comes again under the same id. @param from of `heard` */
  taken(from?: number): HeardWebhook[]
  /** What it answers from now on; a function may also leave the answer out. */
  answer: number | ((heard: HeardWebhook, response: ServerResponse) => number | void)
  /** How many are being answered just now, at most, so far. */
  mostAtOnce(): number
  /** Whether it was sent by whoever knows this secret. @throws when not */
  verify(heard: HeardWebhook, secret: string): unknown
  close(): Promise<void>
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  let underWay = 0
  let most = 0
  const server = createServer((request, response) => {
    most = Math.max(most, (underWay += 1))
    response.once('close', () => (underWay -= 1))
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const heard: HeardWebhook = { ...(JSON.parse(body) as HeardWebhook), id: String(request.headers['webhook-id']), body, headers: request.headers, answered: 0 }
      receiver.heard.push(heard)
      const status = typeof receiver.answer === 'number' ? receiver.answer : receiver.answer(heard, response)
      if (status === undefined) return
      heard.answered = status
      response.writeHead(status).end('thank you')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    heard: [],
    answer: 200,
    taken(from = 0) {
      const yes = receiver.heard.slice(from).filter(({ answered }) => answered >= 200 && answered < 300)
      return yes.filter(({ id }, i) => yes.findIndex((first) => first.id === id) === i)
    },
    mostAtOnce: () => most,
    verify: ({ body, headers }, secret) => new Webhook(secret).verify(body, headers as Record<string, string>),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}
