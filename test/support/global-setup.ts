/** Jest's global set-up: starts the servers once and tells the test files where they are. Whatever ends the run, even Ctrl-C, ends the servers. */
import { startServers, type TestServers } from './servers'

declare global {
  var throughlineTestServers: TestServers | undefined
}

export default async function globalSetup(): Promise<void> {
  const servers = await startServers()
  globalThis.throughlineTestServers = servers
  process.env.TEST_DATABASE_URL = servers.databaseUrl
  process.env.TEST_TEMPLATE_DATABASE = servers.templateDatabase
  process.env.TEST_TEMPORAL_ADDRESS = servers.temporalAddress
  process.env.TEST_WORKFLOW_BUNDLE = servers.workflowBundle
  process.once('exit', () => globalThis.throughlineTestServers?.stopAtOnce())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
}
