/** Answers that may be a moment old: asked once for everybody who comes meanwhile, and again when they are too old. */

/** @param freshMs how old an answer may be. A failed load is not remembered. */
export function remembered<Value>(load: () => Promise<Value>, freshMs: number): () => Promise<Value> {
  let known: { value: Promise<Value>; until: number } | undefined
  return () => {
    if (known && known.until > Date.now()) return known.value
    const value = load()
    const mine = (known = { value, until: Date.now() + freshMs })
    value.catch(() => {
      if (known === mine) known = undefined
    })
    return value
  }
}

/** The same per key, where many keys are asked for at once: those that are missing in the same tick are loaded together. */
export function rememberedEach<Value>(load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>, freshMs: number, mostKeys: number): (keys: readonly string[]) => Promise<Map<string, Value | undefined>> {
  const known = new Map<string, { value: Promise<Value | undefined>; until: number }>()
  let batch: { keys: string[]; values: Promise<ReadonlyMap<string, Value>> } | undefined
  const soon = (key: string): Promise<Value | undefined> => {
    if (!batch) {
      const mine: { keys: string[]; values: Promise<ReadonlyMap<string, Value>> } = { keys: [], values: Promise.resolve().then(() => ((batch = undefined), load(mine.keys))) }
      batch = mine
    }
    batch.keys.push(key)
    return batch.values.then((values) => values.get(key))
  }
  const one = (key: string, now: number): Promise<Value | undefined> => {
    const found = known.get(key)
    if (found && found.until > now) return found.value
    if (known.size >= mostKeys) known.clear()
    const value = soon(key)
    known.set(key, { value, until: now + freshMs })
    value.catch(() => known.delete(key))
    return value
  }
  return async (keys) => {
    const now = Date.now()
    return new Map(await Promise.all(keys.map(async (key) => [key, await one(key, now)] as const)))
  }
}
