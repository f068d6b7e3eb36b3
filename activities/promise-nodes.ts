/** Nodes as rows become nodes as promises know them. Calendars are opened once per setting: they keep the days they have worked out. */
import type { PromiseNodeRow, WorkSeen } from '../db/views/promise'
import { openCalendar, type NodeCalendar } from '../domain/promise/calendar'
import { queueAhead } from '../domain/promise/capacity'
import { dayMs, minuteMs } from '../domain/promise/days'
import { learnLeadTimes, type LeadTimes } from '../domain/promise/lead-time'
import { calendarSettings, type CollectingService } from '../domain/promise/node-calendar'
import { isObstacle, type Obstacle } from '../domain/promise/obstacle'
import { zoneOf, type PromiseNode } from '../domain/promise/options'
import { workingMsBetween } from '../domain/promise/working-time'

const lookAheadDays = 14

/** @returns a reader of rows; `work` is what the nodes have done so far, from which it learns how long they take. */
export function createNodeReader(services: readonly CollectingService[]): (found: readonly PromiseNodeRow[], work: readonly WorkSeen[], now: number) => Map<string, PromiseNode> {
  const calendars = new Map<string, { settings: string; calendar: NodeCalendar | Obstacle }>()
  const calendarOf = (node: PromiseNodeRow): NodeCalendar | Obstacle => {
    const settings = calendarSettings(node, services)
    const text = JSON.stringify(settings)
    const known = calendars.get(node.nodeId)
    if (known?.settings === text) return known.calendar
    const calendar = openCalendar(settings)
    calendars.set(node.nodeId, { settings: text, calendar })
    return calendar
  }
  let learned: { from: readonly WorkSeen[]; leads: LeadTimes } | undefined
  return (found, work, now) => {
    if (learned?.from !== work) learned = { from: work, leads: learnLeads(new Map(found.map((node) => [node.nodeId, calendarOf(node)])), work, now) }
    return new Map(found.map((node) => [node.nodeId, promiseNode(node, calendarOf(node), learned!.leads, now)]))
  }
}

/** Work is measured from its release, in the node's own hours. */
function learnLeads(calendars: ReadonlyMap<string, NodeCalendar | Obstacle>, work: readonly WorkSeen[], now: number): LeadTimes {
  const prepared = work.flatMap(({ nodeId, releasedAt, packedAt }) => {
    const calendar = calendars.get(nodeId)
    if (!calendar || isObstacle(calendar)) return []
    const from = Date.parse(releasedAt)
    const workingMinutes = packedAt === null ? undefined : workingMsBetween(calendar, from, Date.parse(packedAt)) / minuteMs
    return [{ nodeId, service: anyService, day: calendar.zone.dayOf(from), workingMinutes }]
  })
  return learnLeadTimes(prepared, { asOf: Math.floor(now / dayMs) })
}

/** Work orders are worked on in the order of their release, whatever service they travel by. */
const anyService = ''

function promiseNode(node: PromiseNodeRow, calendar: NodeCalendar | Obstacle, leads: LeadTimes, now: number): PromiseNode {
  const { nodeId, type, country, active, methods, ownDrivers, latitude, longitude, capacity } = node
  const limited = capacity.ordersPerHour !== undefined || capacity.unitsPerHour !== undefined
  return {
    candidate: {
      nodeId, type, country, active, methods, ownDrivers, position: { latitude, longitude },
      ...(capacity.ordersPerDay !== undefined && { work: { limit: capacity.ordersPerDay, taken: node.takenToday } }),
    },
    zone: zoneOf(node),
    calendar,
    lead: leads(nodeId, anyService, node.leadMinutes),
    ...(limited && !isObstacle(calendar) && { capacity: { settings: capacity, taken: queueAhead(calendar, capacity, node.waiting, now, lookAheadDays) } }),
  }
}
