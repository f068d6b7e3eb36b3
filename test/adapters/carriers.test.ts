/** The carrier port on the parcel carriers' wire format, against the simulator. */
import fc from 'fast-check'
import { createHmac, randomUUID } from 'node:crypto'
import type { BuyLabel, Carrier } from '../../activities/ports'
import { CarrierRefusal, ProviderFault } from '../../activities/ports'
import { contracts } from '../../adapters/carriers/contracts'
import { parcelCarrier } from '../../adapters/carriers/parcel-carrier'
import { Refusal } from '../../domain/refusals'
import { startCarrierSimulator, type CarrierSimulator } from '../../simulators/carriers/server'
import { control, eventually, startReceiver, type Receiver } from '../simulators/receiver'
import { sampledProperty } from '../support/property'

const webhookSecret = 'carrier-secret'

let simulator: CarrierSimulator
let receiver: Receiver
let carrier: Carrier

beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startCarrierSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, inTransitMs: 0, deliveredMs: 0 })
  carrier = parcelCarrier({ contract: contracts.swiftparcel, baseUrl: simulator.url, webhookSecret, timeoutMs: 400 })
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

  it('of what is sent back are sold by whoever says so, and cannot be given back once they are used', async () => {
    const back = { ...ask('return-1'), from: ask('').to, to: ask('').from, isReturn: true }
    const { trackingNumber } = await carrier.buyLabel(back)
    expect(await books()).toMatchObject([{ reference: 'return-1', isReturn: true, manifested: false }])
    await control(simulator.url, 'POST', `/parcels/${trackingNumber}`, { status: 'in_transit' })
    await expect(carrier.voidLabel(trackingNumber)).rejects.toThrow(CarrierRefusal)
    const unsold = await carrier.buyLabel({ ...back, reference: 'return-2', service: 'express' }).catch((cause: unknown) => cause)
    expect(unsold).toBeInstanceOf(CarrierRefusal)
    expect((unsold as Error).message).toContain('no_returns')
    expect(carrier.services().filter((s) => s.returns).map((s) => s.service)).toEqual(['standard'])
  })

  it('cost what the contract says, for every carrier, whatever is sent where', async () => {
    const parcel = fc.record({ weightGrams: fc.integer({ min: 1, max: 33_000 }), lengthMm: fc.integer({ min: 100, max: 1_300 }), widthMm: fc.integer({ min: 50, max: 500 }), heightMm: fc.integer({ min: 10, max: 400 }) })
    const postalCode = fc.constantFrom('10115', '14 979', '20095', '25849', '80331', '1010')
    await sampledProperty(
      fc.asyncProperty(fc.constantFrom(...Object.values(contracts)), parcel, postalCode, fc.constantFrom('DE', 'AT', 'PL', 'ES'), async (contract, one, to, country) => {
        const adapter = parcelCarrier({ contract, baseUrl: simulator.url, webhookSecret, timeoutMs: 2_000 })
        const ends = { from: { postalCode: '10178', country: 'DE' }, to: { postalCode: to, country } }
        for (const { service, ...rate } of await adapter.rate({ ...ends, parcels: [one] })) {
          const label = adapter.buyLabel({ ...one, ...ends, service, reference: randomUUID() })
          if (rate.refused) await expect(label).rejects.toBeInstanceOf(CarrierRefusal)
          else expect(await label).toMatchObject({ priceMinor: rate.priceMinor, currency: rate.currency })
        }
      }),
      60,
    )
  })

  it('are voided, and then neither found nor sold again under that reference', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await carrier.voidLabel(trackingNumber)
    await carrier.voidLabel(trackingNumber)
    expect(await carrier.findLabel('package-1')).toBeUndefined()
    await expect(carrier.buyLabel(ask('package-1'))).rejects.toBeInstanceOf(CarrierRefusal)
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

  it('an error or a reset of theirs leaves it unknown, an unreachable port had no effect, and a refusal is an answer', async () => {
    await fault({ next: 1, kind: 'error_500' })
    expect(await thrown(carrier.buyLabel(ask('package-1')))).toMatchObject({ effect: 'unknown' })
    await control(simulator.url, 'POST', '/outage', { until: 'cleared' })
    expect(await thrown(carrier.findLabel('package-1'))).toMatchObject({ effect: 'unknown' })
    await control(simulator.url, 'DELETE', '/outage')
    await expect(carrier.manifest({ reference: 'm', trackingNumbers: ['SP000'] })).rejects.toThrow(new CarrierRefusal('POST /v1/manifests: 400 invalid_request: tracking_numbers[0]: unknown: SP000'))
    const gone = await startCarrierSimulator({ port: 0, webhookSecret })
    await gone.close()
    const unreachable = parcelCarrier({ contract: contracts.swiftparcel, baseUrl: gone.url, webhookSecret, timeoutMs: 400 })
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
  const read = (body: Buffer, signature: string | undefined): unknown => carrier.readEvent(body, (name) => (name === 'carrier-signature' ? signature : undefined))
  const scan = { eventId: 'ev_1', trackingNumber: 'SP1', status: 'in_transit', at: '2026-11-23T10:00:00+01:00' }

  it('sent by the simulator are read as they happened', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await control(simulator.url, 'POST', `/parcels/${trackingNumber}`, { status: 'exception', detail: 'nobody at home' })
    const attempt = await eventually('the report', () => receiver.attempts[0])
    const event = read(attempt.body, String(attempt.headers['carrier-signature']))
    expect(event).toEqual({ eventId: expect.any(String), trackingNumber, status: 'exception', at: expect.any(String), detail: 'nobody at home' })
    expect(Math.abs(Date.parse((event as { at: string }).at) - Date.now())).toBeLessThan(10_000)
  })

  it('with a signature that is missing, foreign, malformed or old are refused', () => {
    const body = JSON.stringify(scan)
    const old = Math.floor(Date.now() / 1000) - 301
    expect(read(...signed(body))).toEqual({ ...scan, at: '2026-11-23T09:00:00.000Z' })
    for (const attempt of [
      () => read(Buffer.from(body), undefined),
      () => read(Buffer.from(body), 'v1=00'),
      () => read(Buffer.from(body), `t=${Math.floor(Date.now() / 1000)},v1=zz`),
      () => read(...signed(body, { secret: 'other' })),
      () => read(...signed(body, { at: old })),
      () => read(Buffer.from(`${body} `), signed(body)[1]),
    ]) {
      expect(refusal(attempt)[0]).toBe('signature.invalid')
    }
  })

  it('with a wrong body are refused naming the field; fields we do not know are no reason', () => {
    const readChanged = (change: object): [string, string] => refusal(() => read(...signed(JSON.stringify({ ...scan, ...change }))))
    expect(readChanged({ status: 'flying' })).toEqual(['request.invalid', '/status'])
    expect(readChanged({ at: 'yesterday' })).toEqual(['request.invalid', '/at'])
    expect(readChanged({ eventId: '', trackingNumber: 7 })).toEqual(['request.invalid', '/eventId,/trackingNumber'])
    expect(refusal(() => read(...signed('[]')))[0]).toBe('request.invalid')
    expect(refusal(() => read(...signed('{oops')))[0]).toBe('request.invalid')
    expect(readChanged({ depot: 'Berlin' })[0]).toBe('accepted')
  })
})
