/** A hold nobody orders under is given back by a Temporal schedule. */
import { scheduleSweep } from '../../adapters/temporal-schedules'
import { sweepScheduleId } from '../../domain/ids'
import { expectInvariants } from '../support/invariants'
import { eventually, nearMitte, peopleOf } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
beforeAll(async () => {
  system = await startSystem({ policies: { promise: { holdLifetime: 'PT0.2S' } } })
})
afterAll(async () => {
  await system.client.schedule.getHandle(sweepScheduleId(system.queuePrefix)).delete()
  await expectInvariants(system)
  await system.stop()
})

it('gives back what was held and not ordered, and is made once however many workers start', async () => {
  const people = peopleOf(system)
  const { country, postalCode, latitude, longitude } = nearMitte
  const quote = await people.shop<{ quoteId: string; options: { optionId: string }[] }>('POST', '/v1/delivery-options', {
    channel: 'web', currency: 'EUR', destination: { country, postalCode, latitude, longitude }, lines: [{ sku: 'SOCKS-3P', quantity: 2 }],
  })
  const held = await people.shop<{ reservationId: string }>('POST', `/v1/quotes/${quote.body.quoteId}/hold`, { optionId: quote.body.options[0]!.optionId })
  expect(held.status).toBe(201)
  await scheduleSweep(system.client, system.queuePrefix)
  await scheduleSweep(system.client, system.queuePrefix, 1_000)
  const status = async (): Promise<string> => (await system.db('reservations').where({ reservation_id: held.body.reservationId }).first<{ status: string }>('status')).status
  expect(await eventually(status, (s) => s !== 'open')).toBe('expired')
})
