/** Ways by road from a server that speaks OSRM's table service (https://project-osrm.org/docs, HTTP API v1): our places in one request, metres and seconds between all of them in its answer. */
import { z } from 'zod'
import type { Distances } from '../../activities/ports'
import type { Position } from '../../domain/delivery/distance'
import type { DistanceMatrix } from '../../domain/delivery/routing/matrix'
import { byAir } from './by-air'

export interface OsrmOptions {
  /** E.g. `http://osrm:5000`. The server must allow as many places in one table as a wave has doors (`--max-table-size`). */
  baseUrl: string
  timeoutMs: number
  /** Told when the server does not help and ways are estimated. */
  log: { warn(about: object, what: string): void }
}

/** null where there is no way. */
const table = z.array(z.array(z.number().min(0).nullable()))
const answerShape = z.object({ code: z.literal('Ok'), distances: table, durations: table })

/** A server that is away, says no, or knows no way between two places, holds nobody up: then the ways are estimated as without it. */
export const osrmDistances = ({ baseUrl, timeoutMs, log }: OsrmOptions): Distances => ({
  async between(places, pace) {
    const estimated = await byAir.between(places, pace)
    try {
      return matrixOf(await ask(baseUrl, timeoutMs, places), estimated)
    } catch (cause) {
      log.warn({ err: cause, places: places.length }, 'no ways from the road server: estimated by the straight line')
      return estimated
    }
  },
})

async function ask(baseUrl: string, timeoutMs: number, places: readonly Position[]): Promise<z.output<typeof answerShape>> {
  const where = places.map(({ longitude, latitude }) => `${longitude.toFixed(6)},${latitude.toFixed(6)}`).join(';')
  const response = await fetch(`${baseUrl.replace(/\/$/, '')}/table/v1/driving/${where}?annotations=duration,distance`, { signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok) throw new Error(`table: ${response.status} ${(await response.text()).slice(0, 200)}`)
  const answer = answerShape.parse(await response.json())
  if ([answer.distances, answer.durations].some((rows) => rows.length !== places.length || rows.some((row) => row.length !== places.length))) throw new Error('table: not as many rows and columns as places')
  return answer
}

function matrixOf({ distances, durations }: z.output<typeof answerShape>, estimated: DistanceMatrix): DistanceMatrix {
  const known = (rows: readonly (readonly (number | null)[])[], otherwise: Float64Array): Float64Array => Float64Array.from(rows.flat(), (way, i) => Math.round(way ?? otherwise[i]!))
  return { size: estimated.size, meters: known(distances, estimated.meters), seconds: known(durations, estimated.seconds) }
}
