/** The outside world as a story steers and audits it: the simulators' control endpoints and their own books. */
import type { System } from './system'

export async function steer(url: string, path: string, body: object, method = 'POST'): Promise<void> {
  const answer = await fetch(`${url}${path}`, { method, headers: { 'content-type': 'application/json' }, body: method === 'DELETE' ? undefined : JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
}

export interface Intent {
  id: string
  orderRef: string
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  status: string
}

/** What the payment provider itself believes about an order. */
export async function intentsOf(system: Pick<System, 'payments'>, orderId: string): Promise<Intent[]> {
  const books = (await (await fetch(`${system.payments.url}/control/books`)).json()) as { intents: Intent[] }
  return books.intents.filter((i) => i.orderRef === orderId)
}

/** The money the provider holds or took for an order, over all its intents. */
export async function heldAndTaken(system: Pick<System, 'payments'>, orderId: string): Promise<{ authorizedMinor: number; capturedMinor: number; effects: number }> {
  const intents = await intentsOf(system, orderId)
  const sum = (of: (i: Intent) => number): number => intents.reduce((total, i) => total + of(i), 0)
  return { authorizedMinor: sum((i) => i.authorizedMinor), capturedMinor: sum((i) => i.capturedMinor), effects: intents.filter((i) => i.authorizedMinor > 0).length }
}

export interface Parcel {
  carrier: string
  service: string
  chargedMinor: number
  trackingNumber: string
  reference: string
  voided: boolean
  isReturn?: true
}
export const parcels = async (system: Pick<System, 'carriers'>): Promise<Parcel[]> => ((await (await fetch(`${system.carriers.url}/control/books`)).json()) as { parcels: Parcel[] }).parcels
