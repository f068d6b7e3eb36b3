/** How many whole kits a node could give: as many as the scarcest of the components allows. */
import type { KitPart } from '../order/kits'

/** @param units of a component at the node */
export const wholeKits = (parts: readonly KitPart[], units: (sku: string) => number): number => Math.min(...parts.map((part) => Math.floor(units(part.sku) / part.quantity)))
