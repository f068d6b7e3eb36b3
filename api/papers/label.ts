/** The label of a package, 100 × 150 mm as label printers have it: to whom, from whom, how heavy, which of how many, and the tracking number to scan. */
import type { LabelPaper } from '../../db/views/papers'
import { addressLines } from './address'
import { drawBarcode, mm, paper, rule, write, writeBlock, type Sheet } from './paper'

const [width, height] = [mm(100), mm(150)]
const edge = mm(5)
const inner = width - 2 * edge

export const labelPdf = (label: LabelPaper & { trackingNumber: string }): Promise<Buffer> =>
  paper({ size: [width, height], title: `Label ${label.trackingNumber}`, about: label }, (sheet) => {
    head(sheet, label)
    parties(sheet, label)
    facts(sheet, label)
    drawBarcode(sheet, label.trackingNumber, { x: edge, y: mm(105), width: inner, height: mm(28) }, 13)
  })

function head(sheet: Sheet, { carrier, service, number, of }: LabelPaper): void {
  write(sheet, carrier ?? '', { x: edge, y: mm(5), width: inner * 0.65, size: 18, bold: true })
  write(sheet, `${number} of ${of}`, { x: edge + inner * 0.65, y: mm(5), width: inner * 0.35, size: 18, bold: true, align: 'right' })
  write(sheet, service ?? '', { x: edge, y: mm(13.5), width: inner, size: 12 })
  rule(sheet, mm(21), edge, inner)
}

function parties(sheet: Sheet, { from, to }: LabelPaper): void {
  write(sheet, ['From', ...addressLines(from)].join(' · '), { x: edge, y: mm(23), width: inner, size: 7 })
  writeBlock(sheet, addressLines(to ?? {}), { x: edge, y: mm(30), width: inner, height: mm(53) }, { most: 15, least: 6 })
  rule(sheet, mm(84), edge, inner)
}

function facts(sheet: Sheet, { channelOrderId, weightGrams, lengthMm, widthMm, heightMm }: LabelPaper): void {
  const size = lengthMm && widthMm && heightMm ? ` · ${[lengthMm, widthMm, heightMm].map((side) => (side / 10).toFixed(1)).join(' × ')} cm` : ''
  write(sheet, `${(weightGrams / 1_000).toFixed(2)} kg${size}`, { x: edge, y: mm(86), width: inner, size: 12, bold: true })
  write(sheet, `Order ${channelOrderId}`, { x: edge, y: mm(93.5), width: inner, size: 10 })
  rule(sheet, mm(101), edge, inner)
}
