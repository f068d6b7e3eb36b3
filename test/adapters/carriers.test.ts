/** The carrier port on Swiftparcel's wire format, against the simulator. */
import { createHmac } from 'node:crypto'
import type { BuyLabel, Carrier } from '../../activities/ports'
import { ProviderFault } from '../../activities/ports'
import { parcelCarrier } from '../../adapters/carriers/parcel-carrier'
import { Refusal } from '../../domain/refusals'
import { startCarrierSimulator, type CarrierSimulator } from '../../simulators/carriers/server'
import { control, eventually, startReceiver, type Receiver } from '../simulators/receiver'

const webhookSecret = 'carrier-secret'

let simulator: CarrierSimulator
let receiver: Receiver
let carrier: Carrier

beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startCarrierSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, inTransitMs: 0, deliveredMs: 0 })
  carrier = parcelCarrier({ baseUrl: simulator.url, webhookSecret, timeoutMs: 400 })
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
})

const ask = (reference: string, more: Partial<BuyLabel> = {}): BuyLabel => ({
  reference,
  service: 'standard',
  weightGrams: 900,
  lengthMm: 330,
  from: { line1: 'Am Lager 1', city: 'Ludwigsfelde', postalCode: '14974', country: 'DE' },
  to: { name: 'C. Kundin', line1: 'Weg 2', line2: '', city: 'Berlin', postalCode: '10115', country: 'DE' },
  ...more,
})
const books = async (): Promise<object[]> => (await control<{ parcels: object[] }>(simulator.url, 'GET', '/books')).json.parcels
const fault = (body: object): Promise<unknown> => control(simulator.url, 'POST', '/faults', body)
const thrown = async (call: Promise<unknown>): Promise<ProviderFault> => {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(ProviderFault)
  return error as ProviderFault
}

describe('labels', () => {
  it('are bought once per reference, at the price of the rate card, and found again', async () => {
    const label = await carrier.buyLabel(ask('package-1'))
    expect(label).toMatchObject({ reference: 'package-1', service: 'standard', priceMinor: 389, currency: 'EUR' })
    expect(label.labelText).toContain(label.trackingNumber)
    expect(await carrier.buyLabel(ask('package-1'))).toEqual(label)
    expect(await carrier.findLabel('package-1')).toEqual(label)
    expect(await carrier.findLabel('package 2 & more')).toBeUndefined()
  })

  it('cost what the rate card of the adapter says, at every step', async () => {
    for (const { service, rates, currency } of carrier.services()) {
      for (const { upToGrams, priceMinor } of rates) {
        expect(await carrier.buyLabel(ask(`${service}-${upToGrams}`, { service, weightGrams: upToGrams }))).toMatchObject({ priceMinor, currency })
      }
    }
    expect(carrier.services().map(({ service, transitDays }) => [service, transitDays])).toEqual([
      ['standard', 2],
      ['express', 1],
    ])
  })

  it('are voided, and then neither found nor sold again under that reference', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await carrier.voidLabel(trackingNumber)
    await carrier.voidLabel(trackingNumber)
    expect(await carrier.findLabel('package-1')).toBeUndefined()
    expect(await thrown(carrier.buyLabel(ask('package-1')))).toMatchObject({ effect: 'none' })
  })

  it('are manifested, and a repeat is harmless', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    const manifest = { reference: 'handover-1', trackingNumbers: [trackingNumber] }
    await carrier.manifest(manifest)
    await carrier.manifest(manifest)
    expect(await books()).toEqual([expect.objectContaining({ manifested: true })])
  })
})

describe('faults', () => {
  it('a label whose answer is lost may exist; looking it up tells', async () => {
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'label', delayMs: 5_000 })
    expect(await thrown(carrier.buyLabel(ask('package-1')))).toMatchObject({ effect: 'unknown' })
    const found = await carrier.findLabel('package-1')
    expect(await carrier.buyLabel(ask('package-1'))).toEqual(found)
    expect(await books()).toHaveLength(1)
  })

  it('an error or a reset of theirs leaves it unknown, a refusal or an unreachable port had no effect', async () => {
    await fault({ next: 1, kind: 'error_500' })
    expect(await thrown(carrier.buyLabel(ask('package-1')))).toMatchObject({ effect: 'unknown' })
    await control(simulator.url, 'POST', '/outage', { until: 'cleared' })
    expect(await thrown(carrier.findLabel('package-1'))).toMatchObject({ effect: 'unknown' })
    await control(simulator.url, 'DELETE', '/outage')
    const refused = await thrown(carrier.manifest({ reference: 'm', trackingNumbers: ['SP000'] }))
    expect([refused.effect, refused.message]).toEqual(['none', expect.stringContaining('tracking_numbers[0]')])
    const gone = await startCarrierSimulator({ port: 0, webhookSecret })
    await gone.close()
    const unreachable = parcelCarrier({ baseUrl: gone.url, webhookSecret, timeoutMs: 400 })
    expect(await thrown(unreachable.buyLabel(ask('package-1')))).toMatchObject({ effect: 'none' })
  })
})

describe('scans', () => {
  const signed = (body: string, { secret = webhookSecret, at = Math.floor(Date.now() / 1000) } = {}): [Buffer, string] => [
    Buffer.from(body),
    `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
  ]
  const refusal = (read: () => unknown): [string, string] => {
    try {
      read()
      return ['accepted', '']
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return [error.code, error.errors.map((detail) => detail.pointer).join()]
    }
  }
  const scan = { eventId: 'ev_1', trackingNumber: 'SP1', status: 'in_transit', at: '2026-11-23T10:00:00+01:00' }

  it('sent by the simulator are read as they happened', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await control(simulator.url, 'POST', `/parcels/${trackingNumber}`, { status: 'exception', detail: 'nobody at home' })
    const attempt = await eventually('the report', () => receiver.attempts[0])
    const event = carrier.readEvent(attempt.body, String(attempt.headers['carrier-signature']))
    expect(event).toEqual({ eventId: expect.any(String), trackingNumber, status: 'exception', at: expect.any(String), detail: 'nobody at home' })
    expect(Math.abs(Date.parse(event.at) - Date.now())).toBeLessThan(10_000)
  })

  it('with a signature that is missing, foreign, malformed or old are refused', () => {
    const body = JSON.stringify(scan)
    const old = Math.floor(Date.now() / 1000) - 301
    expect(carrier.readEvent(...signed(body))).toEqual({ ...scan, at: '2026-11-23T09:00:00.000Z' })
    for (const read of [
      () => carrier.readEvent(Buffer.from(body), undefined),
      () => carrier.readEvent(Buffer.from(body), 'v1=00'),
      () => carrier.readEvent(Buffer.from(body), `t=${Math.floor(Date.now() / 1000)},v1=zz`),
      () => carrier.readEvent(...signed(body, { secret: 'other' })),
      () => carrier.readEvent(...signed(body, { at: old })),
      () => carrier.readEvent(Buffer.from(`${body} `), signed(body)[1]),
    ]) {
      expect(refusal(read)[0]).toBe('signature.invalid')
    }
  })

  it('with a wrong body are refused naming the field; fields we do not know are no reason', () => {
    const read = (change: object): [string, string] => refusal(() => carrier.readEvent(...signed(JSON.stringify({ ...scan, ...change }))))
    expect(read({ status: 'flying' })).toEqual(['request.invalid', '/status'])
    expect(read({ at: 'yesterday' })).toEqual(['request.invalid', '/at'])
    expect(read({ eventId: '', trackingNumber: 7 })).toEqual(['request.invalid', '/eventId,/trackingNumber'])
    expect(refusal(() => carrier.readEvent(...signed('[]')))[0]).toBe('request.invalid')
    expect(refusal(() => carrier.readEvent(...signed('{oops')))[0]).toBe('request.invalid')
    expect(read({ depot: 'Berlin' })[0]).toBe('accepted')
  })
})
