/** Ports: the one of last time, else the usual one, else any that is free. */
import { createServer, type AddressInfo, type Server } from 'node:net'
import { choosePort, freePort, tryPort } from '../../dev/ports'

let busy: Server
let busyPort: number
beforeAll(async () => {
  busy = createServer()
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
  busyPort = (busy.address() as AddressInfo).port
})
afterAll(() => busy.close())

it('sees that somebody listens', async () => {
  expect(await tryPort(busyPort)).toBeUndefined()
})

it('goes through the wishes in order and then takes any', async () => {
  const free = await freePort()
  expect(await choosePort([undefined, busyPort, free])).toBe(free)
  expect(await choosePort([free, busyPort], new Set([free]))).not.toBe(free)
})
