/** The carrier simulator over its own wire format: labels, manifests, scans by itself and on demand, and trouble. */
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCarrierSimulator, type CarrierSimulator, type CarrierSimulatorOptions } from '../../simulators/carriers/server'
import { control, eventually, startReceiver, type Attempt, type Receiver } from './receiver'

const webhookSecret = 'carrier-secret'

interface Scan {
  eventId: string
  trackingNumber: string
  status: string
  at: string
}
interface LabelAnswer {
  tracking_number: string
  price: { amount_cents: number; currency: string }
  status: string
}
interface ErrorAnswer {
  error: { code: string; message: string; field?: string }
}

let simulator: CarrierSimulator
let receiver: Receiver
let folder: string

const start = (more: Partial<CarrierSimulatorOptions> = {}): Promise<CarrierSimulator> =>
  startCarrierSimulator({
    port: 0,
    webhookUrl: receiver.url,
    webhookSecret,
    statePath: join(folder, 'books.jsonl'),
    inTransitMs: 0,
    deliveredMs: 0,
    ...more,
  })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carriers-'))
  receiver = await startReceiver()
  simulator = await start()
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
  rmSync(folder, { recursive: true })
})

const api = async <T>(method: string, path: string, body?: unknown): Promise<{ status: number; json: T }> => {
  const init = body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${simulator.url}/swiftparcel/v1${path}`, init)
  return { status: response.status, json: (await response.json()) as T }
}
const labelAsk = (reference: string, more: object = {}): object => ({
  reference,
  service: 'standard',
  parcel: { weight_g: 900 },
  from: { country: 'DE', postcode: '14974' },
  to: { country: 'DE', postcode: '10115', city: 'Berlin' },
  ...more,
})
const label = async (reference: string): Promise<string> => (await api<LabelAnswer>('POST', '/labels', labelAsk(reference))).json.tracking_number
const handedOver = async (reference: string): Promise<string> => {
  const trackingNumber = await label(reference)
  await api('POST', '/manifests', { reference: `m-${reference}`, tracking_numbers: [trackingNumber] })
  return trackingNumber
}
const books = async (): Promise<object[]> => (await control<{ parcels: object[] }>(simulator.url, 'GET', '/books')).json.parcels
const steer = (trackingNumber: string, body: object): ReturnType<typeof control> => control(simulator.url, 'POST', `/parcels/${trackingNumber}`, body)
const statuses = (): string[] => receiver.bodies<Scan>().map((scan) => scan.status)

function expectSigned({ headers, body }: Attempt): void {
  const [, at, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['carrier-signature']))!
  expect(given).toBe(createHmac('sha256', webhookSecret).update(`${at}.${body.toString()}`).digest('hex'))
}

describe('labels and manifests', () => {
  it('gives one label per reference, however often it is asked', async () => {
    const first = await api<LabelAnswer>('POST', '/labels', labelAsk('package-1'))
    const again = await api<LabelAnswer>('POST', '/labels', labelAsk('package-1'))
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.json).toEqual(first.json)
    expect(first.json).toMatchObject({ price: { amount_cents: 389, currency: 'EUR' }, status: 'active' })
    expect((await api('GET', '/labels?reference=package-1')).json).toEqual({ labels: [first.json] })
    expect((await api('GET', '/labels?reference=package-2')).json).toEqual({ labels: [] })
    expect(await books()).toEqual([
      { carrier: 'swiftparcel', trackingNumber: first.json.tracking_number, reference: 'package-1', service: 'standard', status: 'label_created', manifested: false, voided: false, chargedMinor: 389 },
    ])
  })

  it('prices by service and weight', async () => {
    const heavy = await api<LabelAnswer>('POST', '/labels', labelAsk('heavy', { service: 'express', parcel: { weight_g: 5_001 } }))
    const heaviest = await api<ErrorAnswer>('POST', '/labels', labelAsk('heaviest', { parcel: { weight_g: 80_000 } }))
    expect(heavy.json.price.amount_cents).toBe(1_390)
    expect(heaviest).toMatchObject({ status: 422, json: { error: { code: 'too_heavy' } } })
  })

  it('voids a label until the parcel is handed over', async () => {
    const kept = await handedOver('kept')
    const voided = await label('voided')
    expect((await api<LabelAnswer>('DELETE', `/labels/${voided}`)).json.status).toBe('voided')
    expect((await api('DELETE', `/labels/${voided}`)).status).toBe(200)
    expect(await api<ErrorAnswer>('DELETE', `/labels/${kept}`)).toMatchObject({ status: 409, json: { error: { code: 'already_manifested' } } })
    expect((await api('POST', '/manifests', { reference: 'm', tracking_numbers: [voided] })).status).toBe(409)
    expect(await books()).toEqual([
      expect.objectContaining({ manifested: true, voided: false }),
      expect.objectContaining({ manifested: false, voided: true }),
    ])
  })

  it('names the field that is wrong', async () => {
    for (const [path, body, field] of [
      ['/labels', labelAsk('x', { parcel: { weight_g: 0 } }), 'parcel.weight_g'],
      ['/labels', labelAsk('x', { to: { country: 'Germany' } }), 'to.country'],
      ['/labels', labelAsk(''), 'reference'],
      ['/manifests', { reference: 'm', tracking_numbers: ['SP000'] }, 'tracking_numbers[0]'],
    ] as const) {
      expect(await api<ErrorAnswer>('POST', path, body)).toMatchObject({ status: 400, json: { error: { code: 'invalid_request', field } } })
    }
    expect((await steer('SP000', { status: 'in_transit' })).status).toBe(404)
    expect((await steer(await label('x'), { status: 'flying' })).status).toBe(400)
    expect(await books()).toHaveLength(1)
  })
})

describe('scans', () => {
  it('come by themselves once the parcel is handed over, signed, and no sooner', async () => {
    await control(simulator.url, 'POST', '/pace', { inTransitMs: 100, deliveredMs: 250 })
    const untouched = await label('untouched')
    const before = Date.now()
    const trackingNumber = await handedOver('package-1')
    await eventually('the delivery', () => statuses().includes('delivered'))
    const scans = receiver.bodies<Scan>()
    expect(scans.map((scan) => [scan.trackingNumber, scan.status])).toEqual([
      [trackingNumber, 'in_transit'],
      [trackingNumber, 'delivered'],
    ])
    expect(Date.parse(scans[0]!.at) - before).toBeGreaterThanOrEqual(100)
    expect(Date.parse(scans[1]!.at) - before).toBeGreaterThanOrEqual(250)
    receiver.attempts.forEach(expectSigned)
    expect((await api(`GET`, `/tracking/${untouched}`)).json).toMatchObject({ status: 'label_created', events: [] })
    expect((await api('GET', `/tracking/${trackingNumber}`)).json).toMatchObject({
      status: 'delivered',
      events: [{ status: 'in_transit' }, { status: 'delivered' }],
    })
  })

  it('come on demand: twice, late and so out of order', async () => {
    const trackingNumber = await handedOver('package-1')
    await steer(trackingNumber, { status: 'in_transit', delayMs: 1_500 })
    await steer(trackingNumber, { status: 'delivered', duplicate: true, delayMs: 0 })
    await eventually('three reports', () => receiver.attempts.length === 3)
    const scans = receiver.bodies<Scan>()
    expect(scans.map((scan) => scan.status)).toEqual(['delivered', 'delivered', 'in_transit'])
    expect(scans[0]!.eventId).toBe(scans[1]!.eventId)
    expect(Date.parse(scans[2]!.at)).toBeLessThanOrEqual(Date.parse(scans[0]!.at))
  })

  it('stop by themselves after an exception', async () => {
    const [lost, fine] = [await handedOver('lost'), await handedOver('fine')]
    await steer(lost, { status: 'lost' })
    await control(simulator.url, 'POST', '/pace', { inTransitMs: 1, deliveredMs: 2 })
    await eventually('the other parcel to arrive', () =>
      receiver.bodies<Scan>().some((scan) => scan.trackingNumber === fine && scan.status === 'delivered'),
    )
    expect(
      receiver
        .bodies<Scan>()
        .filter((scan) => scan.trackingNumber === lost)
        .map((scan) => scan.status),
    ).toEqual(['lost'])
  })

  it('are repeated until the receiver takes them', async () => {
    receiver.failNext(2)
    await steer(await handedOver('package-1'), { status: 'in_transit' })
    const attempts = await eventually('three attempts', () => receiver.attempts.length === 3 && receiver.attempts)
    expect(new Set(receiver.bodies<Scan>().map((scan) => scan.eventId)).size).toBe(1)
    attempts.forEach(expectSigned)
  })
})

describe('trouble and restarts', () => {
  it('makes the label although its answer is lost, and gives the same one when asked again', async () => {
    await control(simulator.url, 'POST', '/faults', { next: 1, kind: 'timeout_after_effect', operation: 'label', delayMs: 30 })
    await expect(label('package-1')).rejects.toThrow()
    const made = await books()
    expect(made).toHaveLength(1)
    expect(made[0]).toMatchObject({ trackingNumber: await label('package-1') })
  })

  it('answers 500 without effect, and does it when asked again', async () => {
    await control(simulator.url, 'POST', '/faults', { next: 1, kind: 'error_500', operation: 'manifest' })
    const trackingNumber = await label('package-1')
    const hand = (): Promise<{ status: number }> => api('POST', '/manifests', { reference: 'm', tracking_numbers: [trackingNumber] })
    expect((await hand()).status).toBe(500)
    expect(await books()).toEqual([expect.objectContaining({ manifested: false })])
    expect((await hand()).status).toBe(200)
  })

  it('resets connections during an outage of a given length', async () => {
    await control(simulator.url, 'POST', '/outage', { ms: 200 })
    await expect(label('package-1')).rejects.toThrow()
    await eventually('the end of the outage', () => label('package-1').catch(() => undefined))
  })

  it('keeps labels, the clock of parcels under way and undelivered reports over a restart', async () => {
    receiver.failNext(1_000)
    const [steered, moving] = [await handedOver('steered'), await handedOver('moving')]
    await steer(steered, { status: 'exception' })
    await eventually('an attempt', () => receiver.attempts.length > 0)
    await control(simulator.url, 'POST', '/pace', { inTransitMs: 3_600_000, deliveredMs: 700 })
    await simulator.close()
    receiver.failNext(0)
    const seen = receiver.attempts.length
    simulator = await start()
    expect(await label('steered')).toBe(steered)
    await eventually('both reports', () => receiver.attempts.length === seen + 2)
    const scans = receiver
      .bodies<Scan>()
      .slice(seen)
      .map((scan) => [scan.trackingNumber, scan.status])
    expect(scans).toEqual(
      expect.arrayContaining([
        [steered, 'exception'],
        [moving, 'delivered'],
      ]),
    )
  })
})
