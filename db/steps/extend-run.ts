/** A run takes on what waits at its node: parcels while its driver still loads, goods to be fetched also when he is on his way. Nobody who was told a time is harmed by it. */
import { uuidv7 } from 'uuidv7'
import { leavesAt, longerTrip } from '../../domain/delivery/longer-trip'
import { arrivals, takesOn } from '../../domain/delivery/run'
import { tripAlong, type Drop } from '../../domain/delivery/trip'
import { Refusal, refuse } from '../../domain/refusals'
import { takeFetching } from '../collections'
import { run, type Transaction } from '../connection'
import { takeWaiting } from '../dispatch'
import { recordEach } from '../events'
import { activePolicies } from '../policies'
import { board, insertStops, loadsOf, lockRun, refusedRun, renumber, report, setEtas, type RunRow, type StopLoad } from '../runs'
import { doorId, dropOf, etaWindow, groupedByDoor, readDriver, tellings } from './write-run'

export interface ExtendRunAsk {
  runId: string
  actor: string
  /** Milliseconds since 1970. */
  now: number
  /** Nobody at the node has asked for it: a driver who has taken the run has loaded, and would leave without a parcel that comes after. */
  isUnasked?: boolean
}

/** More than a driver brings in a day. */
const mostDrops = 200

/** @returns how many doors it goes to for them. @throws `run.unknown`, `run.state`, `run.nothing_waits` where nothing that waits fits */
export async function extendRun(tx: Transaction, { runId, actor, now, isUnasked = false }: ExtendRunAsk): Promise<number> {
  const found = await lockRun(tx, runId)
  const takes = isUnasked && found.status === 'accepted' ? takesOn.departed : takesOn[found.status]
  if (takes.length === 0) throw refusedRun(found)
  const policy = (await activePolicies(tx)).documents.last_mile
  const pace = { ...policy, ...found.pace }
  const depot = (await readDriver(tx, found))!
  const doors = groupedByDoor(takes.includes('parcels') ? await takeWaiting(tx, found.nodeId, mostDrops) : [], await takeFetching(tx, found.nodeId, mostDrops))
  const loads = await loadsOf(tx, runId)
  const pending = new Map(loads.filter((s) => s.status === 'pending').map((s) => [s.stopId, s]))
  const announced = [...pending.values()].map(dropAt)
  const behind = loads.filter((s) => s.status === 'completed')
  const leaving = { ...lastPlace(found, behind, depot), now, pace }
  const { maxParcels, maxWeightGrams } = depot.vehicle
  const backBy = depot.shiftEnds === null ? {} : { backBy: Date.parse(depot.shiftEnds) }
  const waiting = [...doors].map(([id, door]) => dropOf(id, door, depot, now, pace))
  const drops = longerTrip({ ...leaving, depot, announced, waiting, aboard: aboardFrom(behind), vehicle: { maxParcels, maxWeightGrams }, ...backBy })

  const stops = drops.map((drop, i) => ({ ...drop, door: doors.get(drop.id), stopId: pending.has(drop.id) ? drop.id : (neighbour(pending, drops, i) ?? uuidv7()) }))
  const added = stops.flatMap(({ stopId, door }) => (door ? [{ stopId, ...door, fulfillmentIds: door.parcels.map((p) => p.fulfillmentId), returnIds: door.fetched.map((f) => f.returnId) }] : []))
  if (added.length === 0) throw refuse('run.nothing_waits', { waiting: waiting.length })
  const places = stops.filter(({ stopId }, i) => stops.findIndex((s) => s.stopId === stopId) === i)
  const expected = arrivals(places, leaving.from, leavesAt({ ...leaving, next: announced[0] }), pace)
  const etas = new Map(places.map(({ stopId }, i) => [stopId, { stopId, ...etaWindow(expected[i]!, pace) }]))

  const numbers = await renumber(tx, runId, places.map((p) => p.stopId))
  const told = added.map((stop) => ({ ...stop, ...etas.get(stop.stopId)!, sequence: numbers.get(stop.stopId)! }))
  await insertStops(tx, runId, told.filter(({ stopId }) => !pending.has(stopId)))
  await board(tx, runId, told)
  await setEtas(tx, [...etas.values()])
  const [before, after] = [announced, places].map((way) => tripAlong(way, { depot, departAt: now, pace }))
  await run(tx, 'UPDATE delivery_runs SET distance_meters = distance_meters + ?, saved_meters = saved_meters + ? WHERE run_id = ?', [after!.distanceMeters - before!.distanceMeters, after!.savedMeters - before!.savedMeters, runId])
  await recordEach(tx, told.flatMap((stop) => tellings(stop, { runId, stop: stop.sequence, of: numbers.size + behind.length, actor })))
  await report(tx, runId, 'extended', [])
  return added.length
}

/** The same, for whoever offers it: what does not fit waits on. */
export async function offerToRun(tx: Transaction, ask: Omit<ExtendRunAsk, 'isUnasked'>): Promise<number> {
  try {
    return await extendRun(tx, { ...ask, isUnasked: true })
  } catch (cause) {
    if (cause instanceof Refusal) return 0
    throw cause
  }
}

const dropAt = ({ stopId, latitude, longitude, toldUntil, parcels, weightGrams, fetchedParcels, fetchedGrams }: StopLoad): Drop => ({
  id: stopId, latitude, longitude, parcels, weightGrams, fetches: { parcels: fetchedParcels, weightGrams: fetchedGrams }, windowTo: Date.parse(toldUntil),
})

const aboardFrom = (behind: readonly StopLoad[]): { parcels: number; weightGrams: number } => ({
  parcels: behind.reduce((sum, s) => sum + s.parcels + s.fetchedParcels, 0),
  weightGrams: behind.reduce((sum, s) => sum + s.weightGrams + s.fetchedGrams, 0),
})

/** Where the driver was last, and when he left it; only his depot while he has not left that. */
function lastPlace<Place>({ departedAt }: RunRow, behind: readonly StopLoad[], depot: Place): { from: Place | StopLoad; leftAt?: number } {
  const last = behind.at(-1)
  if (last) return { from: last, leftAt: Date.parse(last.completedAt!) }
  return { from: depot, ...(departedAt !== null && { leftAt: Date.parse(departedAt) }) }
}

/** What waits at a door that the run rings at anyway, just before or after, is one more task there. */
const neighbour = (pending: ReadonlyMap<string, StopLoad>, drops: readonly Drop[], i: number): string | undefined =>
  [drops[i - 1], drops[i + 1]].find((drop) => drop && pending.has(drop.id) && doorId(pending.get(drop.id)!) === drops[i]!.id)?.id
