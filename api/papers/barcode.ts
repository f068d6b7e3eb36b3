/** Code 128 as rectangles: bars are drawn as shapes, so they stay sharp at any resolution a label printer has. */
import bwip from 'bwip-js'

export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

/** Blank modules that a scanner needs to see on each side of the bars. */
const quietModules = 10

/**
 * The bars of `text` in a field, as wide as it allows and in its middle; a module is at most `widestModule`.
 * @param field in points; the quiet zones are inside of it
 * @param module the least and the greatest width of a module in points
 * @returns nothing where the bars would be too narrow to be printed and read
 */
export function barcode(text: string, field: Rectangle, module: { least: number; most: number }): Rectangle[] {
  const widths = code128(text)
  const modules = widths.reduce((sum, w) => sum + w, 0)
  const unit = Math.min(module.most, field.width / (modules + 2 * quietModules))
  if (unit < module.least) return []
  const bars: Rectangle[] = []
  let x = field.x + (field.width - modules * unit) / 2
  for (const [i, width] of widths.entries()) {
    if (i % 2 === 0) bars.push({ x, y: field.y, width: width * unit, height: field.height })
    x += width * unit
  }
  return bars
}

/** Widths in modules: bar, space, bar, …, bar. */
function code128(text: string): number[] {
  const [symbol] = bwip.raw('code128', text)
  if (!symbol || !('sbs' in symbol)) throw new TypeError('a linear barcode has bars')
  return symbol.sbs
}
