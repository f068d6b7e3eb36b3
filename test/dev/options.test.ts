/** The flags of `npm start`. */
import { Complaint } from '../../dev/complaint'
import { readOptions } from '../../dev/options'

it('plays the story and keeps the data unless told otherwise', () => {
  expect(readOptions([])).toEqual({ demo: true, fresh: false, help: false })
  expect(readOptions(['--no-demo', '--fresh'])).toEqual({ demo: false, fresh: true, help: false })
})

it('refuses a flag it does not know, by name', () => {
  expect(() => readOptions(['--fresh', '--frsh'])).toThrow(Complaint)
  expect(() => readOptions(['--frsh'])).toThrow(/--frsh/)
})
