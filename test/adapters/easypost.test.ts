/** The carrier port on EasyPost: its own client against a simulator of its wire format, so that the format is judged by code that is not ours. */
import { createHmac } from 'node:crypto'
import { CarrierRefusal, ProviderFault, type BuyLabel, type Carrier, type CarrierEvent } from '../../activities/ports'
import { easyPostCarrier } from '../../adapters/easypost/carrier'
import { resoldServices } from '../../adapters/easypost/resold'
import { type Refusal } from '../../domain/refusals'
import { startEasyPostSimulator, type EasyPostSimulator } from '../../simulators/easypost/server'
import { control, eventually, startReceiver, type Attempt, type Receiver } from '../simulators/receiver'

const access = { apiKey: 'EZTK-test', webhookSecret: 'easypost-sécret' }
let simulator: EasyPostSimulator
let receiver: Receiver
let carrier: Carrier

const connected = (baseUrl: string, apiKey = access.apiKey): Carrier =>
  easyPostCarrier({ apiKey, baseUrl, timeoutMs: 400, webhookSecret: access.webhookSecret, services: resoldServices, contactEmail: 'claims@example.com' })

beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startEasyPostSimulator({ port: 0, ...access, webhookUrl: receiver.url })
  carrier = connected(simulator.baseUrl)
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
})

const ends = { from: { line1: 'Am Lager 1', city: 'Ludwigsfelde', postalCode: '14974', country: 'DE' }, to: { line1: 'Weg 2', city: 'Berlin', postalCode: '10115', country: 'DE' } }
const ask = (reference: string, more: Partial<BuyLabel> = {}): BuyLabel => ({ reference, service: 'standard', weightGrams: 900, ...ends, ...more })
interface BookedShipment {
  reference: string | null
  trackingCode?: string
  refund?: string
  scanFormId?: string
}
const books = (): Promise<{ shipments: BookedShipment[]; claims: object[] }> => control<{ shipments: BookedShipment[]; claims: object[] }>(simulator.url, 'GET', '/books').then((a) => a.json)
const bought = async (): Promise<BookedShipment[]> => (await books()).shipments.filter((s) => s.trackingCode !== undefined)
const fault = (body: object): Promise<unknown> => control(simulator.url, 'POST', '/faults', body)

describe('labels', () => {
  it('are rated for all parcels together, and bought at that price, once per reference', async () => {
    const rates = await carrier.rate({ ...ends, parcels: [{ weightGrams: 900 }] })
    const label = await carrier.buyLabel(ask('package-1'))
    expect(rates.find((r) => r.service === 'standard')).toEqual({ service: 'standard', currency: label.currency, priceMinor: label.priceMinor })
    expect(await carrier.buyLabel(ask('package-1'))).toEqual(label)
    expect(await carrier.findLabel('package-1')).toEqual(label)
    expect(await carrier.findLabel('package-2')).toBeUndefined()
    const two = await carrier.rate({ ...ends, parcels: [{ weightGrams: 900 }, { weightGrams: 900 }] })
    expect(two.map((r) => r.priceMinor)).toEqual(rates.map((r) => 2 * r.priceMinor!))
    expect(await bought()).toHaveLength(1)
  })

  it('of what is sent back are bought with the addresses of the way out, which EasyPost turns round, and say so when they travel', async () => {
    const back = { ...ask('return-1'), from: ends.to, to: ends.from, isReturn: true }
    const { trackingNumber } = await carrier.buyLabel(back)
    expect((await books()).shipments).toMatchObject([{ reference: 'return-1', isReturn: true, to: { country: 'DE', zip: '10115' } }])
    expect(await carrier.track(trackingNumber)).toMatchObject([{ status: 'label_created', isReturn: true }])
    await control(simulator.url, 'POST', `/parcels/${trackingNumber}`, { status: 'delivered' })
    expect(await carrier.track(trackingNumber)).toMatchObject([{ status: 'label_created' }, { status: 'returned', isReturn: true }])
  })

  it('are not bought twice when the answer is lost: looking it up tells', async () => {
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'buy', delayMs: 2_000 })
    await expect(carrier.buyLabel(ask('package-1'))).rejects.toMatchObject({ effect: 'unknown' })
    const found = await carrier.findLabel('package-1')
    expect(found).toBeDefined()
    expect(await carrier.buyLabel(ask('package-1'))).toEqual(found)
    expect(await bought()).toHaveLength(1)
  })

  it('are bought once although the shipment was made without our hearing of it', async () => {
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'create', delayMs: 2_000 })
    await expect(carrier.buyLabel(ask('package-1'))).rejects.toBeInstanceOf(ProviderFault)
    await carrier.buyLabel(ask('package-1'))
    expect((await books()).shipments).toHaveLength(1)
    expect(await bought()).toHaveLength(1)
  })

  it('are given back once, and then neither found nor sold again under that reference', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await carrier.voidLabel(trackingNumber)
    await carrier.voidLabel(trackingNumber)
    expect(await carrier.findLabel('package-1')).toBeUndefined()
    await expect(carrier.buyLabel(ask('package-1'))).rejects.toBeInstanceOf(CarrierRefusal)
    expect((await bought()).map((s) => s.refund)).toEqual(['submitted'])
  })

  it('are put on a scan form, and a repeat is harmless', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    const manifest = { reference: 'handover-1', trackingNumbers: [trackingNumber] }
    await carrier.manifest(manifest)
    await carrier.manifest(manifest)
    expect((await bought()).map((s) => s.scanFormId)).toEqual([expect.stringMatching(/^sf_/)])
  })

  it('are claimed for when lost, once per reference', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    const claim = { reference: 'claim-1', trackingNumber, reason: 'lost' as const, amountMinor: 8_905, currency: 'EUR' }
    expect(await carrier.claim(claim)).toEqual(await carrier.claim(claim))
    expect((await books()).claims).toMatchObject([{ type: 'loss', amount: '89.05' }])
  })
})

describe('faults', () => {
  it('an error of theirs leaves it unknown, an unreachable port had no effect, a refusal is an answer', async () => {
    await fault({ next: 1, kind: 'error_500', operation: 'create' })
    await expect(carrier.buyLabel(ask('package-1'))).rejects.toMatchObject({ name: 'ProviderFault', effect: 'unknown' })
    await control(simulator.url, 'POST', '/outage', { until: 'cleared' })
    await expect(carrier.findLabel('package-1')).rejects.toMatchObject({ name: 'ProviderFault', effect: 'unknown' })
    await control(simulator.url, 'DELETE', '/outage')
    await expect(connected(simulator.baseUrl, 'EZTK-other').findLabel('package-1')).rejects.toBeInstanceOf(CarrierRefusal)
    await expect(carrier.buyLabel(ask('heavy', { weightGrams: 60_000 }))).rejects.toBeInstanceOf(CarrierRefusal)
    expect(await carrier.rate({ ...ends, parcels: [{ weightGrams: 60_000 }] })).toMatchObject([{ refused: { code: 'carrier.no_rate' } }, { refused: {} }])
    const gone = await startEasyPostSimulator({ port: 0, ...access })
    await gone.close()
    await expect(connected(gone.baseUrl).buyLabel(ask('package-1'))).rejects.toMatchObject({ effect: 'none' })
    expect(await bought()).toEqual([])
  })
})

describe('tracking', () => {
  const read = ({ body, headers }: Pick<Attempt, 'body' | 'headers'>): CarrierEvent | undefined => carrier.readEvent(body, (name) => headers[name] as string | undefined)
  const reported = async (trackingNumber: string, status: object): Promise<CarrierEvent> => {
    const seen = receiver.attempts.length
    await control(simulator.url, 'POST', `/parcels/${trackingNumber}`, status)
    return read(await eventually('the report', () => receiver.attempts[seen]))!
  }

  it('comes signed, and means what it says', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    expect(await reported(trackingNumber, { status: 'in_transit' })).toMatchObject({ eventId: expect.stringMatching(/^evt_/) as string, trackingNumber, status: 'in_transit' })
    const told: [object, string][] = [
      [{ status: 'in_transit', detail: 'address_correction' }, 'address_unknown'],
      [{ status: 'failure', detail: 'lost' }, 'lost'],
      [{ status: 'failure', detail: 'damaged' }, 'damaged'],
      [{ status: 'error' }, 'exception'],
      [{ status: 'delivered' }, 'delivered'],
      [{ status: 'return_to_sender' }, 'returning'],
      [{ status: 'delivered', isReturn: true }, 'returned'],
    ]
    for (const [status, means] of told) expect(await reported(trackingNumber, status)).toMatchObject({ status: means })
  })

  it('can be asked for, step by step', async () => {
    const { trackingNumber } = await carrier.buyLabel(ask('package-1'))
    await reported(trackingNumber, { status: 'in_transit' })
    await reported(trackingNumber, { status: 'delivered' })
    const steps = await carrier.track(trackingNumber)
    expect(steps.map((s) => s.status)).toEqual(['label_created', 'in_transit', 'delivered'])
    expect(new Set(steps.map((s) => s.eventId)).size).toBe(3)
    expect(await carrier.track('1ZUNKNOWN')).toEqual([])
  })

  it('with a signature that is missing, foreign or of another body is refused; what concerns no parcel is passed over', () => {
    const signed = (text: string, secret = access.webhookSecret): Pick<Attempt, 'body' | 'headers'> => ({
      body: Buffer.from(text),
      headers: { 'x-hmac-signature': `hmac-sha256-hex=${createHmac('sha256', secret.normalize('NFKD')).update(text).digest('hex')}` },
    })
    const code = (attempt: Pick<Attempt, 'body' | 'headers'>): string => {
      try {
        return read(attempt)?.status ?? 'nothing'
      } catch (error) {
        return (error as Refusal).code
      }
    }
    const text = JSON.stringify({ id: 'evt_1', description: 'tracker.updated', result: { id: 'trk_1' } })
    const other = JSON.stringify({ id: 'evt_2', description: 'scan_form.created', result: {} })
    expect(code({ body: Buffer.from(text), headers: {} })).toBe('signature.invalid')
    expect(code(signed(text, 'foreign'))).toBe('signature.invalid')
    expect(code({ ...signed(text), body: Buffer.from(other) })).toBe('signature.invalid')
    expect(code(signed(text))).toBe('request.invalid')
    expect(code(signed('[]'))).toBe('request.invalid')
    expect(code(signed(other))).toBe('nothing')
  })
})
