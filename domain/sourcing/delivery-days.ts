/** How many days goods took from the order to the door, by node and distance, as delivered parcels show: enough to say which plan would have come late. */
import { dayMs } from '../promise/days'

export interface DeliveredParcel {
  nodeId: string
  distanceMeters: number
  /** From the order to the door. */
  tookMs: number
}
/** @returns expected days from the order to the door; undefined where too little was delivered yet. */
export type DeliveryDays = (nodeId: string, distanceMeters: number) => number | undefined

/** Distances that are told apart; beyond the last all are one. */
const bandsKm = [30, 100, 300, 700]
/** Parcels from which a mean is taken: of the node and band, else of the band over all nodes. */
const enough = 20

export function learnDeliveryDays(parcels: Iterable<DeliveredParcel>): DeliveryDays {
  const sums = new Map<string, { days: number; count: number }>()
  for (const { nodeId, distanceMeters, tookMs } of parcels)
    for (const group of groups(nodeId, distanceMeters)) {
      const sum = sums.get(group) ?? { days: 0, count: 0 }
      sums.set(group, { days: sum.days + tookMs / dayMs, count: sum.count + 1 })
    }
  return (nodeId, distanceMeters) => {
    const best = groups(nodeId, distanceMeters).map((group) => sums.get(group)).find((sum) => sum !== undefined && sum.count >= enough)
    return best && best.days / best.count
  }
}

const groups = (nodeId: string, distanceMeters: number): string[] => {
  const band = bandsKm.findIndex((km) => distanceMeters <= km * 1000)
  return [`${band}\n${nodeId}`, `${band}`]
}
