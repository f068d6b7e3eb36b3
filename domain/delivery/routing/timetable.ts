/** When a run is where, and with what aboard: computed plainly from start to end, for people and for judging plans; the solver has its own arithmetic. */
import { dimensions, type Load, type RoutingProblem } from './problem'

export interface Visit {
  stop: number
  arrivalSeconds: number
  /** After waiting for the window. */
  beginSeconds: number
  departureSeconds: number
  lateSeconds: number
  /** After the visit. */
  aboard: Load
}

export interface Timetable {
  /** As loaded at the start. */
  aboard: Load
  visits: Visit[]
  backSeconds: number
  meters: number
  drivingSeconds: number
  lateSeconds: number
}

/** Each leg as early as possible; a run without stops stays where it is. */
export function timetable({ matrix, stops, vehicles }: RoutingProblem, vehicle: number, run: readonly number[]): Timetable {
  const { startPlace, endPlace, shift, aboard } = vehicles[vehicle]!
  const start = run.reduce((load, stop) => sum(load, stops[stop]!.delivers), aboard)
  const table: Timetable = { aboard: start, visits: [], backSeconds: shift.fromSeconds, meters: 0, drivingSeconds: 0, lateSeconds: 0 }
  if (run.length === 0) return table
  let [place, clock, load] = [startPlace, shift.fromSeconds, start]
  const drive = (to: number): void => {
    const leg = place * matrix.size + to
    table.meters += matrix.meters[leg]!
    table.drivingSeconds += matrix.seconds[leg]!
    clock += matrix.seconds[leg]!
    place = to
  }
  for (const stop of run) {
    const { window, serviceSeconds, delivers, collects } = stops[stop]!
    drive(stops[stop]!.place)
    const beginSeconds = Math.max(clock, window.fromSeconds)
    const lateSeconds = Math.max(0, beginSeconds - window.untilSeconds)
    load = sum(sum(load, delivers, -1), collects)
    table.visits.push({ stop, arrivalSeconds: clock, beginSeconds, departureSeconds: beginSeconds + serviceSeconds, lateSeconds, aboard: load })
    table.lateSeconds += lateSeconds
    clock = beginSeconds + serviceSeconds
  }
  drive(endPlace)
  return { ...table, backSeconds: clock }
}

function sum(a: Load, b: Load, sign: 1 | -1 = 1): Load {
  const load = { ...a }
  for (const dimension of dimensions) load[dimension] += sign * b[dimension]
  return load
}
