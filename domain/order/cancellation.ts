/**
 * Cancelling some units of an order: which units, from where, and what they are worth. What is furthest from the door goes first, so that as little work
 * as possible was in vain; what stands packed goes back to the shelf only parcel by parcel, and what is gone stays. Kits are cancelled as they were sold, whole.
 */
import type { FulfillmentStatus } from '../fulfillment/moves'
import { invariant } from '../invariant'
import { worthMinor, type Priced, type Units } from '../payment/shares'
import { refuse } from '../refusals'
import type { KitLine } from './kits'

/** Where units are that may still be cancelled, the least trouble first: looking for a node, claimed there, in a work order, of one that is begun, or picked. */
export const cancellableStates = ['open', 'allocated', 'released', 'picking', 'picked'] as const
/** Put together for the customer: boxes are not opened again for a part of what is in them, but all of it may be had back. */
export const togetherStates = ['packed', 'ready'] as const
/** Where it is too late; `sent_again`: paid, and to be sent a second time because the first parcel never arrived. */
export const fixedStates = ['in_transfer', 'sent_again', 'gone'] as const
export const unitStates = [...cancellableStates, ...togetherStates, ...fixedStates] as const
export type UnitState = (typeof unitStates)[number]

/** Units of a line that are in the same place. */
export interface Place {
  state: UnitState
  quantity: number
  fulfillmentId?: string
  nodeId?: string
  /** How many units, of whatever lines, stand together with these. */
  together?: number
}
export interface LineInPlaces {
  lineId: string
  sku: string
  quantity: number
  cancelled: number
  kit: KitLine | null
  /** The line it was sent in place of; null or absent where it was bought. */
  replaces?: string | null
  places: readonly Place[]
}
export interface CancelledUnits extends Place {
  lineId: string
  sku: string
}

/**
 * What is asked for, by line of goods: several mentions of a line are added up, a kit stands for its components.
 * @throws `order.line_unknown`; `order.kit_in_part` for a component by itself
 */
export function wantedUnits(lines: readonly LineInPlaces[], asked: readonly Units[]): Units[] {
  const wanted = new Map<string, number>()
  for (const { lineId, quantity } of asked) {
    const named = lines.filter((l) => (l.kit?.lineId ?? l.lineId) === lineId)
    const part = lines.find((l) => l.kit && l.lineId === lineId)
    if (part) throw refuse('order.kit_in_part', { lineId, kit: part.kit!.lineId })
    if (named.length === 0) throw refuse('order.line_unknown', { lineId })
    for (const l of named) wanted.set(l.lineId, (wanted.get(l.lineId) ?? 0) + quantity * (l.kit ? l.quantity / l.kit.quantity : 1))
  }
  return [...wanted].map(([lineId, quantity]) => ({ lineId, quantity }))
}

/** Would nothing of the order be left? Then all of it is cancelled, and not just these units. */
export function leavesNothing(lines: readonly LineInPlaces[], wanted: readonly Units[]): boolean {
  const asked = new Map(wanted.map((w) => [w.lineId, w.quantity]))
  return lines.every((l) => (asked.get(l.lineId) ?? 0) === l.quantity - l.cancelled)
}

/**
 * The units to be cancelled, by place; parcels that stand packed where the others do not suffice, and all that is in them is asked for.
 * @throws `order.units_not_cancellable` with every line of which too few are left, and where the others are
 */
export function planCancellation(lines: readonly LineInPlaces[], wanted: readonly Units[]): CancelledUnits[] {
  const asked = wanted.map(({ lineId, quantity }) => ({ line: lineOf(lines, lineId), quantity }))
  const unpacked = unpackedFor(parcelsIn(lines), new Map(asked.map(({ line, quantity }) => [line.lineId, { asked: quantity, loose: cancellableUnits(line) }])))
  if (unpacked) {
    const back = unpacked.flatMap((parcel) => parcel.units)
    return [...asked.flatMap(({ line, quantity }) => takenFrom(line, quantity - unitsOf(back, line.lineId))), ...back]
  }
  const tooFew = asked.filter(({ line, quantity }) => quantity > cancellableUnits(line))
  throw refuse('order.units_not_cancellable', {
    lines: tooFew.map(({ line, quantity }) => ({ lineId: line.lineId, asked: quantity, cancellable: cancellableUnits(line), elsewhere: line.places.filter((p) => !isCancellable(p) && p.quantity > 0) })),
  })
}

/**
 * Claims of a line without the units of it that are sent again. Those leave with the first part, so they are the ones that are furthest on their way: what is
 * left of the others may be cancelled, and has not been paid.
 */
export function withoutSentAgain(claimed: readonly Place[], sentAgain: number): Place[] {
  let left = sentAgain
  const furthestFirst = [...claimed].sort((a, b) => way(b.state) - way(a.state))
  const others = new Map<Place, number>()
  for (const place of furthestFirst) {
    const units = Math.min(left, place.quantity)
    left -= units
    others.set(place, place.quantity - units)
  }
  return claimed.map((place) => ({ ...place, quantity: others.get(place)! }))
}

const way = (state: UnitState): number => unitStates.indexOf(state)

/** What a cancellation that comes too late becomes: parcels on their way are asked back, what has arrived is sent back. */
export const insteadOfCancelling = (gone: readonly { status: FulfillmentStatus }[]): 'intercept' | 'return' =>
  gone.some((f) => f.status === 'handed_over' || f.status === 'in_transit') ? 'intercept' : 'return'

/** How many units of a line can still be cancelled. */
export const cancellableUnits = ({ places }: Pick<LineInPlaces, 'places'>): number => places.filter(isCancellable).reduce((sum, p) => sum + p.quantity, 0)

/** Of which lines how many units can still be cancelled; a kit by its own line, whole ones. */
export function cancellableLines(lines: readonly LineInPlaces[]): Units[] {
  const units = new Map<string, number>()
  for (const line of lines) {
    const lineId = line.kit?.lineId ?? line.lineId
    const quantity = Math.floor(cancellableUnits(line) / (line.kit ? line.quantity / line.kit.quantity : 1))
    units.set(lineId, Math.min(quantity, units.get(lineId) ?? quantity))
  }
  return [...units].map(([lineId, quantity]) => ({ lineId, quantity })).filter((u) => u.quantity > 0)
}

/**
 * What units are worth that are cancelled now, after `kept` was what was left: the difference of two running totals, so that whatever is cancelled in
 * whatever sequence adds up with what is kept to the order's total. Shipping goes with the last unit.
 */
export function cancelledMinor(order: Priced, kept: readonly Units[], cancelled: readonly Units[]): number {
  const gone = new Map<string, number>()
  for (const { lineId, quantity } of cancelled) gone.set(lineId, (gone.get(lineId) ?? 0) + quantity)
  return worthMinor(order, kept) - worthMinor(order, kept.map(({ lineId, quantity }) => ({ lineId, quantity: quantity - (gone.get(lineId) ?? 0) })))
}

function lineOf(lines: readonly LineInPlaces[], lineId: string): LineInPlaces {
  const line = lines.find((l) => l.lineId === lineId)
  invariant(line, `line ${lineId} is one of the order's`)
  return line
}

const isCancellable = ({ state }: Place): boolean => (cancellableStates as readonly UnitState[]).includes(state)

function takenFrom({ lineId, sku, places }: LineInPlaces, quantity: number): CancelledUnits[] {
  let left = quantity
  const inTurn = cancellableStates.flatMap((state) => places.filter((p) => p.state === state))
  return inTurn.flatMap((place) => {
    const units = Math.min(left, place.quantity)
    left -= units
    return units > 0 ? [{ lineId, sku, ...place, quantity: units }] : []
  })
}

interface Parcel {
  units: CancelledUnits[]
  together: number
}

/** What stands packed, by the work it is of; not where some of it is sent a second time. */
function parcelsIn(lines: readonly LineInPlaces[]): Parcel[] {
  const parcels = new Map<string, Parcel>()
  for (const { lineId, sku, places } of lines)
    for (const place of places) {
      if (place.fulfillmentId === undefined || place.together === undefined) continue
      const parcel = parcels.get(place.fulfillmentId) ?? { units: [], together: place.together }
      parcel.units.push({ lineId, sku, ...place })
      parcels.set(place.fulfillmentId, parcel)
    }
  return [...parcels.values()].filter(({ units, together }) => units.reduce((sum, u) => sum + u.quantity, 0) === together)
}

/** Per line: how many are asked for, and how many there are outside of parcels. */
type Needs = ReadonlyMap<string, { asked: number; loose: number }>

/** Parcels that bring what is asked for beyond what is loose, no more of them than it takes and nothing in them that is not asked for. @returns undefined where there are none that do */
function unpackedFor(parcels: readonly Parcel[], needs: Needs): Parcel[] | undefined {
  const short = [...needs].filter(([, { asked, loose }]) => asked > loose)
  if (short.length === 0) return []
  if (short.some(([lineId, { asked, loose }]) => asked - loose > parcels.reduce((sum, p) => sum + unitsOf(p.units, lineId), 0))) return undefined
  for (const [i, parcel] of parcels.entries()) {
    if (!parcel.units.every((u) => unitsOf(parcel.units, u.lineId) <= (needs.get(u.lineId)?.asked ?? 0)) || !short.some(([lineId]) => unitsOf(parcel.units, lineId) > 0)) continue
    const rest = unpackedFor(parcels.slice(i + 1), new Map([...needs].map(([lineId, { asked, loose }]) => [lineId, { asked: asked - unitsOf(parcel.units, lineId), loose }])))
    if (rest) return [parcel, ...rest]
  }
  return undefined
}

const unitsOf = (units: readonly Units[], lineId: string): number => units.reduce((sum, u) => sum + (u.lineId === lineId ? u.quantity : 0), 0)
