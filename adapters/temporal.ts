/** The connection to Temporal, from the standard TEMPORAL_* variables or a TOML profile, and the search attributes the project registers by itself. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { searchAttributes } from '../domain/search-attributes'

export interface TemporalTarget {
  connectionOptions: ConnectionOptions
  namespace: string
}

/** Reads where Temporal is. Defaults: `localhost:7233`, namespace `default`. */
export function temporalTarget(): TemporalTarget {
  const { connectionOptions, namespace } = loadClientConnectConfig()
  return { connectionOptions, namespace: namespace ?? 'default' }
}

/** A client that connects when it is first needed, so that a process can start, and take orders, while Temporal is away. */
export function connectTemporal(target: TemporalTarget = temporalTarget()): Client {
  return new Client({ connection: Connection.lazy(target.connectionOptions), namespace: target.namespace })
}

/** Adds what is missing of our search attributes to the namespace; what is there stays as it is. */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(searchAttributes).filter(([name]) => !(name in (customAttributes ?? {})))
  if (missing.length === 0) return
  const wanted = Object.fromEntries(missing.map(([name, type]) => [name, indexedValueType[type]]))
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: wanted })
}

/** temporal.api.enums.v1.IndexedValueType */
const indexedValueType = { TEXT: 1, KEYWORD: 2, INT: 3, DOUBLE: 4, BOOL: 5, DATETIME: 6 } as const
