/** The Temporal dev server: how it is started and when it is ready. With a data file it keeps its histories over restarts, for as long as they are of use. */
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time'
import type { ChildPlan } from './supervise'

export interface DevServer {
  executable: string
  port: number
  uiPort: number
  /** Absent: everything is kept in memory and gone at the end. */
  dataFile?: string
  ui: boolean
}

export const temporalAddress = (port: number): string => `127.0.0.1:${port}`

export function devServerPlan(server: DevServer): ChildPlan {
  return {
    name: 'Temporal',
    command: server.executable,
    args: devServerArguments(server),
    // Its default collects garbage so often that it costs a third of the server's time here; memory is not what is short.
    env: { ...process.env, GOGC: process.env.GOGC ?? '400' },
    readyWithinMs: 60_000,
    isReady: () => isServing(temporalAddress(server.port)),
  }
}

export function devServerArguments(server: DevServer): string[] {
  const storage = server.dataFile ? ['--db-filename', server.dataFile, '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'] : []
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(server.port)],
    ...(server.ui ? ['--ui-port', String(server.uiPort)] : ['--headless']),
    ...storage,
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...['--log-level', 'warn', '--log-format', 'json'],
  ]
}

/** Of every Temporal server that is ours to start. */
export const dynamicConfig: Readonly<Record<string, number | boolean>> = {
  'frontend.namespaceRPS': 20_000, // the dev server's own limit is meant for toys
  'system.enableActivityEagerExecution': true, // saves a round trip per payment call
  // Four partitions a task queue are for clusters: on one server, tasks and polls that are not in the same one are forwarded until they meet.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
}

/** Serving means that the default namespace can be read, not only that the port is open. */
export async function isServing(address: string): Promise<boolean> {
  let connection: Connection | undefined
  try {
    connection = await Connection.connect({ address, connectTimeout: 2_000 })
    await connection.workflowService.describeNamespace({ namespace: 'default' })
    return true
  } catch {
    return false
  } finally {
    await connection?.close()
  }
}

/** Closed histories stay readable for `days`; the dev server by itself drops them after one. */
export async function keepHistories(address: string, namespace: string, days: number): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(days * 86_400_000) } })
  } finally {
    await connection.close()
  }
}
