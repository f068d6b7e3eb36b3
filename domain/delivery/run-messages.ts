/** What dispatchers and runs are started with and told, as an order’s workflow is by ../messages.ts: ids and plain facts. */
/** A dispatcher is told that something waits; how much, and how urgent it is, it looks up. */
export const parcelsWaitSignal = 'parcelsWait'
export interface DispatchStart {
  nodeId: string
  waveSize: number
  /** ISO 8601 durations. */
  waveWait: string
  lookAgainEvery: string
}

/** A step of a run, with its number: told to the orders concerned, and watched for the next. */
export const runSteppedSignal = 'runStepped'
export interface RunStepped {
  number: number
  what: string
}
export interface RunStart {
  runId: string
  nodeId: string
  driverId: string
  stops: number
  departBy: string
  /** From the last door until the driver is back. */
  returnWithin: string
}
