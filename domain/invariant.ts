/** Says out loud what must be true. A failure is our bug: it is thrown as a plain error, which parks a workflow task instead of failing a customer's order. */
export function invariant(condition: unknown, says: string): asserts condition {
  if (!condition) throw new BrokenInvariant(says)
}

export class BrokenInvariant extends Error {
  override name = 'BrokenInvariant'
}

/** For the default branch of a switch over a union: the compiler proves it unreachable, and the runtime says so if it is not. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable: ${JSON.stringify(value)}`)
}
