/** The slip that lies in the box: which order, from whom, for whom, and what is in which package. As many A4 pages as it takes. */
import type { SlipPaper } from '../../db/views/papers'
import { addressLines } from './address'
import { drawBarcode, mm, paper, rule, write, writeBlock, type Sheet } from './paper'

const [width, height] = [mm(210), mm(297)]
const edge = mm(18)
const inner = width - 2 * edge
const bottom = height - mm(18)

interface SlipLine {
  sku: string
  name: string
  quantity: number
}
interface Section {
  title: string
  lines: SlipLine[]
}

export const packingSlipPdf = (slip: SlipPaper): Promise<Buffer> =>
  paper({ size: [width, height], title: `Packing slip ${slip.channelOrderId}`, about: slip }, (sheet) => {
    head(sheet, slip)
    let y = mm(88)
    for (const section of sectionsOf(slip)) y = drawSection(sheet, section, y) + mm(6)
  })

function head(sheet: Sheet, { channelOrderId, placedAt, from, to }: SlipPaper): void {
  write(sheet, 'Packing slip', { x: edge, y: mm(18), width: inner / 2, size: 20, bold: true })
  write(sheet, `Order ${channelOrderId}`, { x: edge, y: mm(29), width: inner / 2, size: 12, bold: true })
  write(sheet, `Placed ${placedAt.slice(0, 10)}`, { x: edge, y: mm(35), width: inner / 2, size: 10 })
  drawBarcode(sheet, channelOrderId, { x: edge + inner * 0.4, y: mm(18), width: inner * 0.6, height: mm(14) }, 9)
  column(sheet, 'To', to ? addressLines(to) : ['Collected by the customer', ...addressLines(from).slice(0, 1)], edge)
  column(sheet, 'From', addressLines(from), edge + inner / 2)
}

function column(sheet: Sheet, title: string, lines: readonly string[], x: number): void {
  write(sheet, title, { x, y: mm(46), width: inner / 2, size: 8 })
  writeBlock(sheet, lines, { x, y: mm(50), width: inner / 2 - mm(4), height: mm(34) }, { most: 10, least: 5 })
}

/** By package once it is packed; before that, what is to be packed. */
export function sectionsOf({ lines, packages }: Pick<SlipPaper, 'lines' | 'packages'>): Section[] {
  if (packages.length === 0) {
    const wanted = lines.map(({ sku, name, quantity, rejected }) => ({ sku, name, quantity: quantity - rejected })).filter((l) => l.quantity > 0)
    return [{ title: 'To be packed', lines: wanted }]
  }
  const known = new Map(lines.map((l) => [l.lineId, l]))
  return packages.map((p) => ({
    title: [`Package ${p.number} of ${packages.length}`, `${(p.weightGrams / 1_000).toFixed(2)} kg`, p.trackingNumber].filter(Boolean).join(' · '),
    lines: p.lines.map(({ lineId, quantity }) => ({ sku: known.get(lineId)!.sku, name: known.get(lineId)!.name, quantity })),
  }))
}

/** @returns where the next one may begin, perhaps on another page. */
function drawSection(sheet: Sheet, { title, lines }: Section, top: number): number {
  let y = roomFor(sheet, top, mm(22))
  write(sheet, title, { x: edge, y, width: inner, size: 11, bold: true })
  y += mm(6)
  rule(sheet, y, edge, inner)
  y += mm(2)
  for (const { sku, name, quantity } of lines) {
    y = roomFor(sheet, y, mm(7))
    write(sheet, String(quantity), { x: edge, y, width: mm(16), size: 10, bold: true, align: 'right' })
    write(sheet, sku, { x: edge + mm(22), y, width: mm(48), size: 10 })
    write(sheet, name, { x: edge + mm(73), y, width: inner - mm(73), size: 10 })
    y += mm(6)
  }
  return y
}

function roomFor(sheet: Sheet, y: number, needed: number): number {
  if (y + needed <= bottom) return y
  sheet.addPage()
  return mm(18)
}
