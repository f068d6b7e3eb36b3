/** Labels and packing slips as a printer and a scanner get them: read back from the PDF, and decoded from the bars. */
import fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { barcode } from '../../api/papers/barcode'
import { mm, modules } from '../../api/papers/paper'
import { insertPackages, releaseFulfillment } from '../../db/fulfillments'
import { readCode128 } from '../support/code-128'
import { readPdf, type PdfPage } from '../support/pdf'
import { holds } from '../support/property'
import { openEdge, type Edge } from './edge'
import { anOrder, place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const pdfOf = async (path: string, key = 'demo-store-store-mitte'): Promise<{ status: number; headers: Headers; bytes: Buffer }> => {
  const answer = await fetch(edge.url + path, { headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}
/** The bars that stand highest on a page, as a scanner sees them. */
const scanned = ({ rectangles }: PdfPage): string => readCode128(rectangles.filter((r) => r.height > mm(10)).sort((a, b) => a.x - b.x))

interface Packed {
  fulfillmentId: string
  packageIds: string[]
  channelOrderId: string
}
const at = '2026-11-23T10:00:00.000Z'

async function packed({ name = 'Mira Vogel', line1 = 'Torstraße 1', lines = 2 }: { name?: string; line1?: string; lines?: number } = {}): Promise<Packed> {
  const order = anOrder({
    shipTo: { name, line1, city: 'Berlin', postalCode: '10119', country: 'DE' },
    lines: Array.from({ length: lines }, (_, i) => ({ lineId: String(i + 1), sku: 'SOCKS-3P', quantity: 2, unitPriceMinor: 100, discountMinor: 0, taxMinor: 0 })),
    shipping: { priceMinor: 0, taxMinor: 0 },
    totalMinor: 200 * lines,
    tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 200 * lines }],
  })
  const orderId = await place(edge.db, order)
  return edge.db.transaction(async (tx) => {
    for (const { lineId, sku, quantity } of order.lines) await tx('allocations').insert({ allocation_id: uuidv7(), order_id: orderId, line_id: lineId, sku, node_id: 'store-mitte', quantity })
    const { fulfillmentId } = await releaseFulfillment(tx, { orderId, nodeId: 'store-mitte', method: 'delivery', dueAt: at, waitingOn: { what: 'picking', since: at, deadline: null } })
    const all = order.lines.map(({ lineId }) => ({ lineId, quantity: 1 }))
    const packageIds = await insertPackages(tx, fulfillmentId, [{ weightGrams: 1_230, lengthMm: 350, widthMm: 250, heightMm: 155, lines: all }, { weightGrams: 640, lines: all }])
    await tx('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ status: 'packed' })
    return { fulfillmentId, packageIds, channelOrderId: order.channelOrderId }
  })
}
const label = (packageId: string, trackingNumber: string): Promise<unknown> => edge.db('packages').where({ package_id: packageId }).update({ carrier: 'swiftparcel', tracking_number: trackingNumber, label: '{}' })

describe('the label', () => {
  it('says to whom, from whom, how heavy and which of how many, and scans as its tracking number', async () => {
    const { packageIds, channelOrderId } = await packed()
    await label(packageIds[0]!, 'SP-0042-8817-DE')
    const { status, headers, bytes } = await pdfOf(`/v1/packages/${packageIds[0]}/label.pdf`)
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, 'application/pdf', 'private, no-store'])
    const [page, ...more] = readPdf(bytes)
    expect(more).toEqual([])
    expect(page).toMatchObject({ widthMm: 100, heightMm: 150 })
    expect(page!.text).toEqual([
      'swiftparcel', '1 of 2', 'From · Store Mitte · Rosenthaler Straße 40 · 10178 Berlin · DE', 'Mira Vogel', 'Torstraße 1', '10119 Berlin', 'DE',
      '1.23 kg · 35.0 × 25.0 × 15.5 cm', `Order ${channelOrderId}`, 'SP-0042-8817-DE',
    ])
    expect(scanned(page!)).toBe('SP-0042-8817-DE')
  })

  it('holds names as people write them, and every word of a long address', async () => {
    const line1 = 'Пушкинская 10, Hinterhaus, dritter Stock links, bei Müller-Lüdenscheidt zweimal klingeln und dann lange warten, denn der Weg zur Tür ist weit'
    const { packageIds } = await packed({ name: 'Zoë Łukasz Ωμέγα', line1 })
    await label(packageIds[1]!, 'SP2')
    const [page] = readPdf((await pdfOf(`/v1/packages/${packageIds[1]}/label.pdf`)).bytes)
    const said = page!.text.join(' ').replace(/\s+/g, ' ')
    expect(said).toContain('Zoë Łukasz Ωμέγα')
    for (const word of line1.split(' ')) expect(said).toContain(word)
    expect(scanned(page!)).toBe('SP2')
  })

  it('is not there before the carrier gave it, after the work was stopped, or for another store', async () => {
    const { packageIds, fulfillmentId } = await packed()
    const path = `/v1/packages/${packageIds[0]}/label.pdf`
    expect(await edge.get(path)).toMatchObject({ status: 409, body: { code: 'fulfillment.label_missing', waitingOn: 'carrier' } })
    await label(packageIds[0]!, 'SP-3')
    for (const path_ of [path, `/v1/fulfillments/${fulfillmentId}/packing-slip.pdf`]) expect((await edge.get(path_, 'demo-store-store-kreuzberg')).status).toBe(404)
    expect((await edge.get(path, 'demo-finance')).status).toBe(403)
    await edge.db('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ status: 'cancelled' })
    expect(await edge.get(path)).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'cancelled' } })
    expect((await edge.get('/v1/packages/none/label.pdf')).body.code).toBe('package.unknown')
  })
})

describe('the packing slip', () => {
  it('says what is in which package, and scans as the order number', async () => {
    const { fulfillmentId, packageIds, channelOrderId } = await packed()
    await label(packageIds[0]!, 'SP-4')
    const { bytes, headers } = await pdfOf(`/v1/fulfillments/${fulfillmentId}/packing-slip.pdf`)
    expect(headers.get('content-disposition')).toBe(`inline; filename="packing-slip-${fulfillmentId}.pdf"`)
    const [page] = readPdf(bytes)
    expect(page).toMatchObject({ widthMm: 210, heightMm: 297 })
    expect(page!.text).toEqual(expect.arrayContaining([`Order ${channelOrderId}`, 'Placed 2026-11-23', 'Mira Vogel', 'Store Mitte', 'Package 1 of 2 · 1.23 kg · SP-4', 'Package 2 of 2 · 0.64 kg', 'SOCKS-3P']))
    expect(page!.text.filter((text) => text === 'SOCKS-3P')).toHaveLength(4)
    expect(scanned(page!)).toBe(channelOrderId)
  })

  it('goes on to as many pages as it takes, and loses no line', async () => {
    const { fulfillmentId } = await packed({ lines: 60 })
    const pages = readPdf((await pdfOf(`/v1/fulfillments/${fulfillmentId}/packing-slip.pdf`)).bytes)
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.flatMap((p) => p.text).filter((text) => text === 'SOCKS-3P')).toHaveLength(120)
  })

  it('says before packing what is to be packed', async () => {
    const { fulfillmentId } = await packed()
    await edge.db('packages').where({ fulfillment_id: fulfillmentId }).delete()
    const [page] = readPdf((await pdfOf(`/v1/fulfillments/${fulfillmentId}/packing-slip.pdf`)).bytes)
    expect(page!.text).toEqual(expect.arrayContaining(['To be packed', 'SOCKS-3P']))
  })
})

describe('barcodes', () => {
  const field = { x: mm(5), y: 0, width: mm(90), height: mm(28) }

  it('read back as what was written, inside their field with room on both sides', () => {
    holds(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._#-]{1,28}$/), (text) => {
        const bars = barcode(text, field, modules)
        expect(readCode128(bars)).toBe(text)
        const unit = Math.min(...bars.map((b) => b.width))
        expect(bars[0]!.x - field.x).toBeGreaterThan(9.9 * unit)
        expect(field.x + field.width - (bars.at(-1)!.x + bars.at(-1)!.width)).toBeGreaterThan(9.9 * unit)
      }),
    )
  })

  it('are left out where a printer could not print them', () => {
    expect(barcode('X'.repeat(100), field, modules)).toEqual([])
  })

  it('that are damaged do not scan', () => {
    const bars = barcode('SP-0042', field, modules)
    expect(() => readCode128(bars.map((b, i) => (i === 9 ? { ...b, width: b.width * 2 } : b)))).toThrow()
    expect(() => readCode128(bars.slice(0, -1))).toThrow()
  })
})
