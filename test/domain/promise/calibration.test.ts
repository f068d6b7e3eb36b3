/** What is stated is true: on a year that was not learned from, promises are kept as often as they say. */
import { calibrationReport, type CalibrationReport } from '../../../domain/promise/calibration'
import { sampled } from '../../support/property'
import { judgeYear, playYear, type Mistakes, type Parcel } from './year'

let year: Parcel[]
beforeAll(() => {
  year = playYear(20_261)
})
const report = (confidence: number, mistakes: Mistakes = {}): CalibrationReport => calibrationReport(judgeYear(year, confidence, mistakes))
const said = (r: CalibrationReport): string => JSON.stringify({ overall: r.overall, bins: r.bins.filter((b) => b.judged), carriers: r.carriers.map(({ bins: _, ...c }) => c) })

it.each(sampled([0.8, 0.9, 0.95], 1))('keeps promises as often as it states, when asked for %s', (confidence) => {
  const r = report(confidence)
  expect({ honest: r.honest, how: said(r) }).toMatchObject({ honest: true })
  expect(r.overall.count).toBeGreaterThan(6_000)
  expect(r.carriers.every((c) => c.judged)).toBe(true)
  expect(r.overall.stated).toBeGreaterThanOrEqual(confidence)
}, 60_000)

const mistakes: [string, Mistakes][] = [
  ['Sundays are promised as delivery days', { sundays: true }],
  ['carriers are believed to take what they declare', { carriersAreBelieved: true, withoutCorrection: true }],
]
it.each(sampled(mistakes, 1))('is caught when %s', (_, mistake) => {
  expect(report(0.9, mistake).honest).toBe(false)
}, 60_000)
