/** Keeps Temporal's own log out of the test report; what matters of it shows in histories. */
import { Runtime } from '@temporalio/worker'

let quiet = false

/** Once per test process, before the first worker. */
export function quietRuntime(): void {
  if (quiet) return
  quiet = true
  const silent = (): void => undefined
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent }
  Runtime.install({ logger, telemetryOptions: { logging: { filter: 'OFF', forward: {} } } })
}
