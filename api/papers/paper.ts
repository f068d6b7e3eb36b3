/**
 * A sheet of paper as PDF. Names are printed as people write them: what the fonts of every PDF reader hold is set in them, which is quick;
 * else an embedded one with Latin, Greek and Cyrillic is taken. What that lacks as well shows as an empty box.
 */
import { readFileSync } from 'node:fs'
import PDFDocument from 'pdfkit'
import { barcode, type Rectangle } from './barcode'

export type Sheet = PDFKit.PDFDocument

export const mm = (length: number): number => (length * 72) / 25.4

/** Points. A module of 0.25 mm is read by any scanner; below 0.17 mm the printers of shops fail. */
export const modules = { least: mm(0.17), most: mm(0.5) }

/** @param page size: width and height in points; about: everything that is written on it */
export function paper(page: { size: [number, number]; title: string; about: object }, draw: (sheet: Sheet) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sheet = new PDFDocument({ size: page.size, margin: 0, info: { Title: page.title, Creator: 'Throughline' } })
    const chunks: Buffer[] = []
    sheet.on('data', (chunk: Buffer) => chunks.push(chunk))
    sheet.on('end', () => resolve(Buffer.concat(chunks)))
    sheet.on('error', reject)
    const { regular, bold } = isPlain(JSON.stringify(page.about)) ? standard : embedded()
    sheet.registerFont('regular', regular).registerFont('bold', bold)
    draw(sheet)
    sheet.end()
  })
}

/** One line of text, cut off where the field ends. */
export function write(sheet: Sheet, text: string, at: { x: number; y: number; width: number; size: number; bold?: boolean; align?: 'left' | 'right' | 'center' }): void {
  sheet.font(at.bold ? 'bold' : 'regular').fontSize(at.size).text(text, at.x, at.y, { width: at.width, height: at.size * 1.5, lineBreak: true, ellipsis: true, align: at.align ?? 'left' })
}

/** Lines below each other, the first one bold, as large as the field allows; long ones go on in the next row, so that nothing of an address is lost. */
export function writeBlock(sheet: Sheet, lines: readonly string[], field: Rectangle, size: { most: number; least: number }): void {
  const heights = (points: number): number[] =>
    lines.map((line, i) => sheet.font(i === 0 ? 'bold' : 'regular').fontSize(points).heightOfString(line, { width: field.width }) + points * 0.25)
  let points = size.most
  while (points > size.least && heights(points).reduce((sum, h) => sum + h, 0) > field.height) points -= 0.5
  let y = field.y
  for (const [i, height] of heights(points).entries()) {
    sheet.font(i === 0 ? 'bold' : 'regular').fontSize(points).text(lines[i]!, field.x, y, { width: field.width })
    y += height
  }
}

/** Code 128 with its text below; where it does not fit the text stands alone. */
export function drawBarcode(sheet: Sheet, text: string, field: Rectangle, size: number): void {
  for (const bar of barcode(text, field, modules)) sheet.rect(bar.x, bar.y, bar.width, bar.height)
  sheet.fill('black')
  write(sheet, text, { x: field.x, y: field.y + field.height + size * 0.3, width: field.width, size, align: 'center' })
}

export const rule = (sheet: Sheet, y: number, x: number, width: number): void => void sheet.rect(x, y, width, 0.75).fill('black')

const standard = { regular: 'Helvetica', bold: 'Helvetica-Bold' }

/** Windows-1252, as the fonts that every reader has are encoded. */
const isPlain = (text: string): boolean => /^[\x20-\x7e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/.test(text)

let loaded: { regular: Buffer; bold: Buffer } | undefined
const embedded = (): NonNullable<typeof loaded> =>
  (loaded ??= {
    regular: readFileSync(require.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf')),
    bold: readFileSync(require.resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf')),
  })
