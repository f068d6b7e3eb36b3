/** Calls to a channel's own api: to where it may be, to nowhere it redirects to, and without end for nobody. */
import type { LookupAddress } from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCallOutside } from '../../adapters/outside/call'
import { ChannelFault, ChannelRefusal } from '../../adapters/channels/channel-api'
import { shopifyShop } from '../../adapters/channels/shopify/admin-api'
import { checkedLookup } from '../../adapters/outside/destination'
import { parseNetwork } from '../../domain/webhooks/addresses'

const inside = { allowed: [parseNetwork('127.0.0.0/8')!] }
let server: Server
let listener: RequestListener
let paths: string[] = []
const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url!)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => {
  paths = []
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
const shop = (settings: Parameters<typeof createCallOutside>[0], at = url()): ReturnType<typeof shopifyShop> => shopifyShop({ url: at, token: 't', call: createCallOutside({ timeoutMs: 300, ...settings }) })
const listed = (settings: Parameters<typeof createCallOutside>[0], at?: string): Promise<unknown> => shop(settings, at).listOrders('2026-01-01T00:00:00Z')

it('reads the whole answer of a channel that may be called', async () => {
  listener = (_request, response) => response.writeHead(200, { link: '<https://elsewhere.example/x?page_info=abc>; rel="next"' }).end(JSON.stringify({ orders: [{ id: 1 }] }))
  expect(await listed(inside)).toEqual({ orders: [{ id: 1 }], next: 'abc' })
})

it.each([
  ['loopback', () => url()],
  ['a name that leads there', () => url().replace('127.0.0.1', 'localhost')],
  ['a private network', () => 'https://10.0.0.7/'],
  ['where clouds keep their secrets', () => 'https://169.254.169.254/'],
])('asks nothing of %s', async (_what, at) => {
  await expect(listed({ allowed: [] }, at().replace('http:', 'https:'))).rejects.toBeInstanceOf(ChannelRefusal)
  expect(paths).toEqual([])
})

it('looks at the address with every connection: a name that changes its mind gets nowhere', async () => {
  const answers: LookupAddress[][] = [[{ address: '93.184.215.14', family: 4 }], [{ address: '127.0.0.1', family: 4 }]]
  const ask = ((_host: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => callback(null, answers.shift()!)) as never
  const connect = (): Promise<unknown> => new Promise((resolve, reject) => checkedLookup({ allowed: [], plain: false }, ask)('shop.example', {}, (error, address) => (error ? reject(error) : resolve(address))))
  expect(await connect()).toBe('93.184.215.14')
  await expect(connect()).rejects.toThrow('leads to 127.0.0.1, which is loopback')
})

it('goes nowhere that the channel sends it', async () => {
  listener = (_request, response) => response.writeHead(302, { location: `${url()}/inside` }).end()
  await expect(listed(inside)).rejects.toBeInstanceOf(ChannelFault)
  expect(paths).toHaveLength(1)
})

it('gives up on an answer that does not come, does not end, or is without measure', async () => {
  listener = () => undefined
  await expect(listed(inside)).rejects.toBeInstanceOf(ChannelFault)
  listener = (_request, response) => void response.writeHead(200).write('{')
  await expect(listed(inside)).rejects.toBeInstanceOf(ChannelFault)
  listener = (_request, response) => response.writeHead(200).end('x'.repeat(5_000))
  await expect(listed({ ...inside, mostBytes: 4_000 })).rejects.toThrow('the answer is longer than 4000 bytes')
})
