/** How deep a JSON value is nested: deeper than any document here is deeper than what walks it can follow, and is refused before it is walked. */

export const deepest = 100

export const isDeeper = (value: unknown, levels = deepest): boolean =>
  typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))
