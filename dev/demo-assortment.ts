/** What the demo shop sells, and how many of it lie where. Quantities are fixed, so that everybody who starts the demo sees the same stock. */

export interface DemoSku {
  sku: string
  name: string
  weightGrams: number
  lengthMm: number
  widthMm: number
  heightMm: number
}
interface Model {
  code: string
  name: string
  variants: readonly string[]
  weightGrams: number
  boxMm: readonly [number, number, number]
}

const sizes = ['S', 'M', 'L', 'XL'] as const

const models: readonly Model[] = [
  { code: 'SHOE-LB', name: 'Running shoe, light blue', variants: ['38', '39', '40', '41', '42', '43', '44', '45'], weightGrams: 780, boxMm: [330, 210, 120] },
  { code: 'SHOE-BK', name: 'Running shoe, black', variants: ['39', '40', '41', '42', '43', '44'], weightGrams: 780, boxMm: [330, 210, 120] },
  { code: 'SHOE-TRAIL', name: 'Trail shoe', variants: ['40', '41', '42', '43', '44'], weightGrams: 920, boxMm: [340, 220, 130] },
  { code: 'SHIRT-RUN', name: 'Running shirt', variants: sizes, weightGrams: 160, boxMm: [300, 220, 30] },
  { code: 'SHIRT-LONG', name: 'Long-sleeved running shirt', variants: sizes, weightGrams: 210, boxMm: [300, 220, 35] },
  { code: 'TANK', name: 'Tank top', variants: sizes, weightGrams: 120, boxMm: [300, 220, 25] },
  { code: 'SHORTS-RUN', name: 'Running shorts', variants: sizes, weightGrams: 140, boxMm: [280, 200, 30] },
  { code: 'TIGHTS', name: 'Running tights', variants: sizes, weightGrams: 230, boxMm: [300, 220, 35] },
  { code: 'JACKET-WIND', name: 'Wind jacket', variants: sizes, weightGrams: 310, boxMm: [320, 240, 60] },
  { code: 'JACKET-RAIN', name: 'Rain jacket', variants: sizes, weightGrams: 420, boxMm: [320, 240, 80] },
  { code: 'HOODIE', name: 'Hoodie', variants: sizes, weightGrams: 540, boxMm: [340, 260, 90] },
  { code: 'SOCKS', name: 'Running socks', variants: ['1P', '3P', '5P'], weightGrams: 90, boxMm: [200, 120, 40] },
  { code: 'CAP', name: 'Running cap', variants: ['BLACK', 'WHITE'], weightGrams: 80, boxMm: [250, 180, 110] },
  { code: 'BOTTLE', name: 'Bottle', variants: ['500', '750'], weightGrams: 110, boxMm: [240, 80, 80] },
  { code: 'BELT', name: 'Running belt', variants: ['ONE'], weightGrams: 130, boxMm: [220, 120, 50] },
  { code: 'MAT-YOGA', name: 'Yoga mat', variants: ['BLUE', 'GREY'], weightGrams: 1_250, boxMm: [620, 130, 130] },
]

export const skus: readonly DemoSku[] = models.flatMap(({ code, name, variants, weightGrams, boxMm: [lengthMm, widthMm, heightMm] }) =>
  variants.map((variant) => ({ sku: `${code}-${variant}`, name: `${name}, ${variant}`, weightGrams, lengthMm, widthMm, heightMm })),
)

/** The stories of the documentation lean on these; at places not named there are none. */
const told: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'SHOE-LB-42': { 'store-mitte': 3 },
  'SHOE-LB-41': { 'dc-01': 12 },
  'SHIRT-RUN-M': { 'dc-01': 240, 'store-mitte': 12, 'store-kreuzberg': 10, 'store-charlottenburg': 8 },
  'SOCKS-3P': { 'dc-01': 400, 'store-mitte': 40, 'store-kreuzberg': 30, 'store-charlottenburg': 30 },
}

/** Units on hand at the beginning: plenty in the warehouse, a few of most things in the stores. */
export function openingStock(sku: string, node: { nodeId: string; type: string }): number {
  const fixed = told[sku]
  if (fixed) return fixed[node.nodeId] ?? 0
  const draw = spread(`${sku}@${node.nodeId}`)
  return node.type === 'warehouse' ? 60 + (draw % 180) : draw % 10
}

/** FNV-1a: the same number for the same text, everywhere. */
function spread(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0
  return hash >>> 8
}
