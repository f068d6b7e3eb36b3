/** Bodies that never end. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClientGone, readBody } from '../../api/body'

it('hangs up on a caller who never finishes what it began to send', async () => {
  const read = new Promise<unknown>((resolve) => {
    const server = createServer((req) => void readBody(req, 1_000, 50).then(resolve, resolve)).listen(0, '127.0.0.1', () => {
      const slow = request({ port: (server.address() as AddressInfo).port, method: 'POST', headers: { 'content-length': 100 } })
      slow.on('error', () => server.close())
      slow.write('{"half":')
    })
  })
  expect(await read).toBeInstanceOf(ClientGone)
})
