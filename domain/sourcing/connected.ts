/** Which of `count` things hang together, given the meetings that tie them: union by path halving. */
export function connected(count: number, meetings: readonly (readonly number[])[]): number[][] {
  const parent = Array.from({ length: count }, (_, i) => i)
  const root = (of: number): number => {
    let at = of
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!
    return at
  }
  for (const [first, ...others] of meetings) for (const other of others) parent[root(other)] = root(first!)
  const parts = new Map<number, number[]>()
  for (let i = 0; i < count; i += 1) {
    const part = parts.get(root(i)) ?? []
    parts.set(root(i), part)
    part.push(i)
  }
  return [...parts.values()]
}
