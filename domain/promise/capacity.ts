/** Work ahead of an order: a node's day is cut into slots with room for so many orders and units; an order gets the earliest slots that still have room. */
import type { NodeCalendar, Stretch } from './calendar'
import { minuteMs, type Instant, type LocalDay } from './days'
import { obstacle, type Obstacle } from './obstacle'
import { stretchesFrom } from './working-time'

/** What is not given is not limited. */
export interface CapacitySettings {
  ordersPerHour?: number
  unitsPerHour?: number
  ordersPerDay?: number
  /** Length of a slot; an hour unless told otherwise. */
  slotMinutes?: number
}
export interface Load {
  orders: number
  units: number
}
/** Tokens taken per slot, by the instant the slot begins. */
export type Taken = ReadonlyMap<Instant, Load>
/** What an order takes of one slot: the tokens to book. */
export interface SlotBooking extends Load {
  slotAt: Instant
}
export interface WorkAhead {
  /** When the last slot the order needs begins; the order itself if it comes later. Lead time counts from here. */
  from: Instant
  bookings: readonly SlotBooking[]
}

/**
 * The earliest room for an order at or after `from`: one order token in the first slot that has one and has a unit free, its units from there on, over several slots if need be.
 * A slot that has begun still has the tokens nobody took.
 * @param lookAheadDays local days looked at; none with room among them is `capacity.full`.
 */
export function earliestRoom(calendar: NodeCalendar, capacity: CapacitySettings, taken: Taken, from: Instant, units: number, lookAheadDays: number): WorkAhead | Obstacle {
  const bookings: SlotBooking[] = []
  const perDay = capacity.ordersPerDay === undefined ? undefined : ordersByDay(calendar, taken)
  let unitsLeft = units
  for (const slot of slotsFrom(calendar, capacity, from, lookAheadDays)) {
    const room = roomIn(slot, capacity, taken.get(slot.at))
    const first = bookings.length === 0
    if (first && (room.orders < 1 || (perDay?.get(slot.day) ?? 0) >= (capacity.ordersPerDay ?? Infinity))) continue
    const unitsHere = Math.min(unitsLeft, room.units)
    if (unitsHere < 1 && unitsLeft > 0) continue
    bookings.push({ slotAt: slot.at, orders: first ? 1 : 0, units: unitsHere })
    unitsLeft -= unitsHere
    if (unitsLeft <= 0) return { from: Math.max(from, slot.at), bookings }
  }
  return obstacle('capacity.full')
}

interface Slot {
  at: Instant
  day: LocalDay
  lengthMinutes: number
}

function* slotsFrom(calendar: NodeCalendar, capacity: CapacitySettings, from: Instant, days: number): Generator<Slot> {
  const slotMs = (capacity.slotMinutes ?? 60) * minuteMs
  for (const stretch of stretchesFrom(calendar, from, days))
    for (let at = firstSlot(stretch, from, slotMs); at < stretch.to; at += slotMs)
      yield { at, day: calendar.zone.dayOf(at), lengthMinutes: Math.min(slotMs, stretch.to - at) / minuteMs }
}

/** Slots are cut from the opening on, so an order always finds the same ones. */
const firstSlot = (stretch: Stretch, from: Instant, slotMs: number): Instant =>
  from <= stretch.from ? stretch.from : stretch.from + Math.floor((from - stretch.from) / slotMs) * slotMs

function roomIn(slot: Slot, capacity: CapacitySettings, taken: Load | undefined): Load {
  return {
    orders: tokens(capacity.ordersPerHour, slot.lengthMinutes) - (taken?.orders ?? 0),
    units: tokens(capacity.unitsPerHour, slot.lengthMinutes) - (taken?.units ?? 0),
  }
}

/** A slot's share of the hourly rate, rounded down, but never less than one while the node works at all: half an hour of one an hour is still one. */
const tokens = (perHour: number | undefined, minutes: number): number =>
  perHour === undefined ? Infinity : perHour <= 0 ? 0 : Math.max(1, Math.floor((perHour * minutes) / 60))

function ordersByDay(calendar: NodeCalendar, taken: Taken): Map<LocalDay, number> {
  const sums = new Map<LocalDay, number>()
  for (const [at, load] of taken) sums.set(calendar.zone.dayOf(at), (sums.get(calendar.zone.dayOf(at)) ?? 0) + load.orders)
  return sums
}

/** Tokens that orders already waiting take: the earliest slots from `from` on, one after the other. */
export function queueAhead(calendar: NodeCalendar, capacity: CapacitySettings, waiting: Load, from: Instant, lookAheadDays: number): Map<Instant, Load> {
  const taken = new Map<Instant, Load>()
  const left = { ...waiting }
  for (const slot of slotsFrom(calendar, capacity, from, lookAheadDays)) {
    if (left.orders <= 0 && left.units <= 0) break
    const room = roomIn(slot, capacity, undefined)
    const load = { orders: Math.min(left.orders, room.orders), units: Math.min(left.units, room.units) }
    taken.set(slot.at, load)
    left.orders -= load.orders
    left.units -= load.units
  }
  return taken
}
