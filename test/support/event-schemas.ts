/** Every event that was written is as its schema says, with no field that the schema does not know. */
import type { Db } from '../../db/connection'
import { eventSchemas } from '../../api/schemas/events'
import type { EventType } from '../../domain/events'

export async function expectEventsAsDocumented(db: Db): Promise<void> {
  const events: { type: EventType; data: unknown }[] = await db('order_events').select('type', 'data')
  const wrong = events.flatMap(({ type, data }) => {
    const read = eventSchemas['1'][type].safeParse(data)
    return read.success ? [] : [`${type}: ${JSON.stringify(read.error.issues)} in ${JSON.stringify(data)}`]
  })
  expect([...new Set(wrong)]).toEqual([])
  expect(events.length).toBeGreaterThan(0)
}
