/** Reads back what our PDFs say: the size of each page, its text in the order in which it was written, and its filled rectangles. Knows what pdfkit writes, no more. */
import { inflateSync } from 'node:zlib'

export interface PdfPage {
  widthMm: number
  heightMm: number
  text: string[]
  /** In points, from the top left corner. */
  rectangles: { x: number; y: number; width: number; height: number }[]
}

export function readPdf(pdf: Buffer): PdfPage[] {
  const objects = objectsOf(pdf)
  const all = [...objects.values()]
  if (!pdf.subarray(0, 5).equals(Buffer.from('%PDF-')) || !all.some((o) => o.head.includes('/Type /Catalog'))) throw new Error('this is no PDF')
  return all
    .filter((o) => /\/Type \/Page\b/.test(o.head))
    .map((page) => {
      const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(page.head)!
      const resources = objects.get(Number(/\/Resources (\d+) 0 R/.exec(page.head)![1]))!
      const fonts = new Map([...resources.head.matchAll(/\/(F\d+) (\d+) 0 R/g)].map(([, name, id]) => [name!, glyphsOf(objects, Number(id))]))
      const content = objects.get(Number(/\/Contents (\d+) 0 R/.exec(page.head)![1]))!.stream!.toString('latin1')
      return { widthMm: inMm(width!), heightMm: inMm(height!), text: textOf(content, fonts), rectangles: rectanglesOf(content) }
    })
}

const inMm = (points: string): number => Math.round((Number(points) * 25.4) / 72)

interface PdfObject {
  head: string
  stream?: Buffer
}

function objectsOf(pdf: Buffer): Map<number, PdfObject> {
  const raw = pdf.toString('latin1')
  const objects = new Map<number, PdfObject>()
  for (const match of raw.matchAll(/(?:^|\n)(\d+) 0 obj\n/g)) {
    const from = match.index + match[0].length
    const end = raw.indexOf('\nendobj', from)
    const streamAt = raw.indexOf('stream\n', from)
    const hasStream = streamAt >= 0 && streamAt < end
    const head = raw.slice(from, hasStream ? streamAt : end)
    const length = Number(/\/Length (\d+)/.exec(head)?.[1])
    const bytes = hasStream ? pdf.subarray(streamAt + 7, streamAt + 7 + length) : undefined
    objects.set(Number(match[1]), { head, ...(bytes && { stream: head.includes('/FlateDecode') ? inflateSync(bytes) : bytes }) })
  }
  return objects
}

/** A font's codes as text: two bytes by its own table, or one byte as in Windows-1252. */
type Glyphs = (hex: string) => string

function glyphsOf(objects: ReadonlyMap<number, PdfObject>, id: number): Glyphs {
  const toUnicode = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id)!.head)?.[1]
  const windows = new TextDecoder('windows-1252')
  if (toUnicode === undefined) return (hex) => windows.decode(Buffer.from(hex, 'hex'))
  const table = new Map<number, string>()
  const map = objects.get(Number(toUnicode))!.stream!.toString('latin1')
  for (const [, first, , list] of map.matchAll(/<([0-9a-f]+)> <([0-9a-f]+)> \[([^\]]*)\]/gi))
    for (const [i, [, code]] of [...list!.matchAll(/<([0-9a-f ]*)>/gi)].entries()) table.set(parseInt(first!, 16) + i, Buffer.from(code!.replaceAll(' ', ''), 'hex').swap16().toString('utf16le'))
  return (hex) => (hex.match(/.{4}/g) ?? []).map((code) => table.get(parseInt(code, 16)) ?? '\ufffd').join('')
}

function textOf(content: string, fonts: ReadonlyMap<string, Glyphs>): string[] {
  const text: string[] = []
  for (const [block] of content.matchAll(/BT\n[\s\S]*?\nET/g)) {
    const glyphs = fonts.get(/\/(F\d+) /.exec(block)![1]!)!
    const shown = [...block.matchAll(/\[(.*?)\] TJ/g)].map(([, parts]) => [...parts!.matchAll(/<([0-9a-f]*)>/g)].map(([, hex]) => glyphs(hex!)).join(''))
    text.push(shown.join(''))
  }
  return text
}

const rectanglesOf = (content: string): PdfPage['rectangles'] =>
  [...content.matchAll(/^(-?[\d.]+) (-?[\d.]+) (-?[\d.]+) (-?[\d.]+) re$/gm)].map(([, x, y, width, height]) => ({ x: Number(x), y: Number(y), width: Number(width), height: Number(height) }))
