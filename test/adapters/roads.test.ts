/** Ways by road from a server that speaks OSRM's table service; and without one that helps. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { byAir } from '../../adapters/roads/by-air'
import { osrmDistances } from '../../adapters/roads/osrm'

const places = [{ latitude: 52.52, longitude: 13.4 }, { latitude: 52.53, longitude: 13.41 }, { latitude: 52.5, longitude: 13.38 }]
const pace = { roadFactor: 1.3, speedKmh: 25, stopMinutes: 3 }

let server: Server
let answer: { status: number; body: string }
let asked = ''
const warned: string[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request.url ?? ''
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(() => void warned.splice(0))

const distances = (timeoutMs = 2_000) => osrmDistances({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, timeoutMs, log: { warn: (_, what) => void warned.push(what) } })
/** As OSRM answers: rows from each place, with null where there is no way. */
const table = (distances: unknown, durations: unknown, code = 'Ok'): string => JSON.stringify({ code, distances, durations, sources: [], destinations: [] })

it('asks for all ways in one request, and takes one-way streets as they are', async () => {
  answer = { status: 200, body: table([[0, 1_400.4, 2_000], [1_900, 0, 2_500], [2_100, 2_600, 0]], [[0, 210.6, 300], [260, 0, 380], [310, 390, 0]]) }
  const { size, meters, seconds } = await distances().between(places, pace)
  expect(asked).toBe('/table/v1/driving/13.400000,52.520000;13.410000,52.530000;13.380000,52.500000?annotations=duration,distance')
  expect([size, [...meters], [...seconds]]).toEqual([3, [0, 1_400, 2_000, 1_900, 0, 2_500, 2_100, 2_600, 0], [0, 211, 300, 260, 0, 380, 310, 390, 0]])
  expect(warned).toEqual([])
})

it('estimates the ways it knows nothing of', async () => {
  const estimated = await byAir.between(places, pace)
  answer = { status: 200, body: table([[0, null, 2_000], [1_900, 0, 2_500], [2_100, 2_600, 0]], [[0, null, 300], [260, 0, 380], [310, 390, 0]]) }
  const { meters, seconds } = await distances().between(places, pace)
  expect([meters[1], seconds[1], meters[2]]).toEqual([estimated.meters[1], estimated.seconds[1], 2_000])
})

it.each([
  ['is down', 503, 'no'],
  ['says no', 400, JSON.stringify({ code: 'TooBig', message: 'Too many table coordinates' })],
  ['answers for other places', 200, table([[0]], [[0]])],
  ['speaks in riddles', 200, '<html>'],
])('estimates all ways, and says so, when the server %s', async (_, status, body) => {
  answer = { status, body }
  expect(await distances().between(places, pace)).toEqual(await byAir.between(places, pace))
  expect(warned).toEqual(['no ways from the road server: estimated by the straight line'])
})
