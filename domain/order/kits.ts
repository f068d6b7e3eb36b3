/** A kit is sold as one line and taken as lines on its components, so that everything after intake deals with goods that lie on shelves. */
import { shareOut } from '../money'
import type { NewLine } from './new-order'

export interface KitPart {
  sku: string
  /** Units in one kit. */
  quantity: number
}
/** By the SKU of the kit. */
export type Kits = Readonly<Record<string, readonly KitPart[]>>

/** What of an ordered kit a component line belongs to, as it was ordered. */
export interface KitLine {
  lineId: string
  sku: string
  quantity: number
}

/** Line ids of the components: `<lineId>/1`, `<lineId>/2`, … */
export const partLineId = (lineId: string, index: number): string => `${lineId}/${index + 1}`

/** The lines with every kit replaced by its components. */
export const withoutKits = (lines: readonly NewLine[], kits: Kits): NewLine[] => lines.flatMap((line) => (Object.hasOwn(kits, line.sku) ? partsOf(line, kits[line.sku]!) : [line]))

/**
 * The price of a kit is shared over its units, its discount and tax over the prices. Where a share is no multiple of its units, the unit price is rounded
 * up and the line's discount takes the difference: the components cost exactly what the kit does.
 */
function partsOf(line: NewLine, parts: readonly KitPart[]): NewLine[] {
  const pricesMinor = shareOut(line.unitPriceMinor * line.quantity, parts.map((p) => p.quantity))
  const discountsMinor = shareOut(line.discountMinor, pricesMinor)
  const taxesMinor = shareOut(line.taxMinor, pricesMinor)
  const kit: KitLine = { lineId: line.lineId, sku: line.sku, quantity: line.quantity }
  return parts.map((part, i) => {
    const quantity = line.quantity * part.quantity
    const unitPriceMinor = Math.ceil(pricesMinor[i]! / quantity)
    const roundedMinor = unitPriceMinor * quantity - pricesMinor[i]!
    return { lineId: partLineId(line.lineId, i), sku: part.sku, quantity, unitPriceMinor, discountMinor: discountsMinor[i]! + roundedMinor, taxMinor: taxesMinor[i]!, kit }
  })
}
