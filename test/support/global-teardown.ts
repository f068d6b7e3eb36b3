/** Jest's global tear-down: stops what the set-up started, and removes what it wrote. */
export default async function globalTeardown(): Promise<void> {
  const servers = globalThis.throughlineTestServers
  globalThis.throughlineTestServers = undefined
  await servers?.stop()
}
