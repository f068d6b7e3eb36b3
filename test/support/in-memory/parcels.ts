/** Parcels and changes of an order without Temporal: each is done, and everything that follows of it too. */
import { randomUUID } from 'node:crypto'
import type { People } from '../people'
import type { InMemory } from './system'

export function handsOf(system: InMemory, people: People) {
  return {
    /** The work order that is released, or that has the line, goes to the carrier. @returns the tracking number */
    handedOver: async (orderId: string, lineId?: string): Promise<string> => {
      const work = (await people.order(orderId)).fulfillments.find((f) => f.status === 'released' && (lineId === undefined || f.lines.some((l) => l.lineId === lineId)))!
      await people.pickAll(work)
      const { trackingNumber } = (await people.packAll(work)).body.packages[0]!
      expect((await people.handOver(work)).status).toBe(200)
      await system.settled(orderId)
      return trackingNumber!
    },
    says: async (orderId: string, trackingNumber: string, status: string): Promise<void> => {
      await system.tell(orderId, { source: 'carrier:swiftparcel', eventId: randomUUID(), kind: 'carrier', subject: trackingNumber, payload: { status, at: new Date().toISOString() } })
      await system.settled(orderId)
    },
    change: async (orderId: string, operations: object[], by: { paymentMethod?: string } = {}): Promise<void> => {
      const asked = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations, ...by })
      expect(asked.status).toBe(201)
      expect((await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).status).toBe(200)
      await system.settled(orderId)
    },
  }
}
