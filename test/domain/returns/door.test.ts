/** Every pair of outcomes at a door has exactly one row, and the pages say the same as the table. */
import { taskOutcomes } from '../../../domain/delivery/run'
import { atTheDoor, doorTable } from '../../../domain/returns/door'
import { readText, section, tableRows } from '../../support/markdown'

it('knows for every way that bringing and collecting can end what becomes of goods, money and order', () => {
  for (const deliver of taskOutcomes)
    for (const collect of taskOutcomes) expect([deliver, collect, doorTable.filter((r) => r.deliver.includes(deliver) && r.collect.includes(collect)).length]).toEqual([deliver, collect, 1])
})

it('takes along what is handed over, whatever happens to the new goods, and never what is not', () => {
  for (const deliver of taskOutcomes) for (const collect of taskOutcomes) expect(atTheDoor(deliver, collect).taken).toBe(collect === 'done' || collect === 'damaged')
})

it('is written in the operations page as it is', () => {
  const rows = tableRows(section(readText('docs/operations.md'), '## The exchange at the door'))
  expect(rows).toEqual(doorTable.map((r) => [r.says, r.money, r.stock, r.order]))
})
