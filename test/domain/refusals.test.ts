/** The catalogue of refusals is exactly what the code says no with. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRefusalCode, refusals, refuse } from '../../domain/refusals'

const root = join(__dirname, '../..')
const code = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'api/*.ts', 'db/*.ts', 'domain/*.ts', 'relay/*.ts', 'workflows/*.ts', 'activities/*.ts', 'adapters/*.ts'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path && path !== 'domain/refusals.ts')
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n')

it('lists no code that nothing uses', () => {
  expect(Object.keys(refusals).filter((known) => !code.includes(`'${known}'`))).toEqual([])
})

it('carries the code, what it says and the data to act on', () => {
  expect(refuse('stock.short', { short: [] })).toMatchObject({ code: 'stock.short', message: refusals['stock.short'].says, data: { short: [] } })
  expect([isRefusalCode('stock.short'), isRefusalCode('toString'), isRefusalCode(undefined)]).toEqual([true, false, false])
})

it('gives no data a name that the problem document uses for itself', () => {
  const own = ['type', 'title', 'status', 'detail', 'code', 'errors', 'requestId']
  expect(Object.entries(refusals).filter(([, { data }]) => data.split(/[^A-Za-z]+/).some((name) => own.includes(name) && data !== name)).map(([code]) => code)).toEqual([])
})
