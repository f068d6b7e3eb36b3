/** Goods that not every node may send: dangerous ones, and such that cross a border only with papers. */
export interface GoodsRules {
  hazardous: boolean
  exportControlled: boolean
}
export interface NodePermits {
  country: string
  handlesHazardous: boolean
  /** Countries for which it has the papers. */
  exportsTo: readonly string[]
}

/** @returns why a node may not send it to `country`; undefined when it may. An address without a country is at home. */
export function whyBarred(goods: GoodsRules, node: NodePermits, country: string | undefined): string | undefined {
  if (goods.hazardous && !node.handlesHazardous) return 'may not handle hazardous goods'
  if (goods.exportControlled && country !== undefined && country !== node.country && !node.exportsTo.includes(country)) return `has no export papers for ${country}`
  return undefined
}
