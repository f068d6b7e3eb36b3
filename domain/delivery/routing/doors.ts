/** Puts what is delivered to a door and what is collected there into one stop, where their windows allow it. */
import { dimensions, noLoad, type Load, type Span, type Stop } from './problem'

/** One errand of one order. */
export interface Task {
  taskId: string
  kind: 'delivery' | 'collection'
  /** Row of the matrix; equal for the same door. */
  place: number
  load: Load
  window: Span
  graceSeconds: number
  /** Of this task, besides what the stop itself takes. */
  serviceSeconds: number
  priority: number
  /** The vehicle that has its goods aboard. */
  vehicle?: number
}

export interface Door extends Stop {
  tasks: readonly Task[]
}

export interface Stopping {
  /** For parking and walking, once per stop. */
  stopSeconds: number
  /** Of the largest vehicle: a door with more than that is several stops. */
  capacity: Load
}

/** Tasks that end first come first; each joins the first stop at its door that has time and room for it. */
export function doorsOf(tasks: readonly Task[], stopping: Stopping): Door[] {
  const doors: Door[] = []
  for (const task of [...tasks].sort((a, b) => a.window.untilSeconds - b.window.untilSeconds || (a.taskId < b.taskId ? -1 : 1))) {
    const at = doors.findIndex((door) => canJoin(door, task, stopping))
    if (at < 0) doors.push(opened(task, stopping))
    else doors[at] = joined(doors[at]!, task)
  }
  return doors
}

function opened(task: Task, { stopSeconds }: Stopping): Door {
  const { place, window, graceSeconds, serviceSeconds, priority, vehicle } = task
  return { place, ...loadsOf(task), window, graceSeconds, serviceSeconds: stopSeconds + serviceSeconds, priority, ...(vehicle !== undefined && { vehicle }), tasks: [task] }
}

function joined(door: Door, task: Task): Door {
  const { delivers, collects } = loadsOf(task)
  return {
    ...door,
    delivers: sum(door.delivers, delivers), collects: sum(door.collects, collects),
    window: shared(door.window, task.window),
    graceSeconds: Math.min(door.graceSeconds, task.graceSeconds),
    serviceSeconds: door.serviceSeconds + task.serviceSeconds,
    priority: door.priority + task.priority,
    tasks: [...door.tasks, task],
  }
}

function canJoin(door: Door, task: Task, { capacity }: Stopping): boolean {
  const { fromSeconds, untilSeconds } = shared(door.window, task.window)
  const { delivers, collects } = loadsOf(task)
  const fits = dimensions.every((d) => door.delivers[d] + delivers[d] <= capacity[d] && door.collects[d] + collects[d] <= capacity[d])
  return door.place === task.place && door.vehicle === task.vehicle && fromSeconds <= untilSeconds && fits
}


const loadsOf = ({ kind, load }: Task): Pick<Stop, 'delivers' | 'collects'> => (kind === 'delivery' ? { delivers: load, collects: noLoad } : { delivers: noLoad, collects: load })
const shared = (a: Span, b: Span): Span => ({ fromSeconds: Math.max(a.fromSeconds, b.fromSeconds), untilSeconds: Math.min(a.untilSeconds, b.untilSeconds) })
const sum = (a: Load, b: Load): Load => ({ weightGrams: a.weightGrams + b.weightGrams, volumeMilliliters: a.volumeMilliliters + b.volumeMilliliters, packages: a.packages + b.packages })
