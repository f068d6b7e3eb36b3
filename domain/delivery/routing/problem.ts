/**
 * What the drivers of a node have to do, and with what: the question that `plan-runs.ts` answers. Numbers only, so that it can cross into a thread;
 * seconds count from any moment the caller likes, the same one throughout.
 */
import type { DistanceMatrix } from './matrix'

export interface RoutingProblem {
  matrix: DistanceMatrix
  stops: readonly Stop[]
  vehicles: readonly Vehicle[]
  objective: Objective
}

export interface Load {
  weightGrams: number
  volumeMilliliters: number
  packages: number
}
export const dimensions = ['weightGrams', 'volumeMilliliters', 'packages'] as const satisfies readonly (keyof Load)[]
export const noLoad: Load = { weightGrams: 0, volumeMilliliters: 0, packages: 0 }

/** One visit to a door. What it delivers is aboard from the start until here, what it collects from here until the end; first unloaded, then loaded. */
export interface Stop {
  /** Row of the matrix. */
  place: number
  delivers: Load
  collects: Load
  /** Work at the door begins within it; who comes early waits. */
  window: Span
  /** How late it may begin nevertheless, at a price; 0 where a promise binds. */
  graceSeconds: number
  serviceSeconds: number
  /** What it weighs when not all can be served, at least 1. */
  priority: number
  /** The only one that can serve it: its goods are aboard already. */
  vehicle?: number
}

export interface Span {
  fromSeconds: number
  untilSeconds: number
}

export interface Vehicle {
  capacity: Load
  /** Leaves its first place no earlier, is back at its last place no later. */
  shift: Span
  startPlace: number
  endPlace: number
  /** Collected earlier on this run, and aboard until its end. */
  aboard: Load
  /** Stops that were announced: they stay on this run and in this order. */
  agreed: readonly number[]
  /** So many of the agreed ones come first, with nothing before or between them: the driver is on the way there. */
  underway: number
}

/** As many stops as possible are served, by priority; among such plans the cheapest wins. */
export interface Objective {
  perMeter: number
  /** Of driving. */
  perSecond: number
  /** Of beginning after the window, within its grace. */
  perLateSecond: number
  /** That leaves at all. */
  perVehicle: number
}

/** Stops by their index, in the order of their visits. */
export interface Plan {
  /** One per vehicle, empty for one that stays. */
  runs: readonly (readonly number[])[]
  unserved: readonly number[]
}
