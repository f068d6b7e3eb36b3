/** The first step of every command: Node's own modules alone decide whether `npm ci` is needed. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const firstStep = pathToFileURL(join(__dirname, '../../dev/dependencies.mjs')).href
const ask = (expression: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', `import * as d from '${firstStep}'; try { console.log(${expression}) } catch (e) { console.log(e.message) }`], { encoding: 'utf8' }).trim()

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'throughline-deps-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const installed = (wanted: object, present?: object): boolean => {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }))
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  if (present) writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }))
  return ask(`d.isInstalled(${JSON.stringify(folder)})`) === 'true'
}

it('installs when nothing is there, or npm ci was interrupted', () => {
  expect(installed({ 'node_modules/a': { version: '1.0.0' } })).toBe(false)
})

it('is content when every package has the version of the lock file; other platforms may be absent', () => {
  const wanted = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/mac-only': { version: '1.0.0', optional: true } }
  expect(installed(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe(true)
})

it('installs again when the lock file asks for another version or one more package', () => {
  expect(installed({ 'node_modules/a': { version: '2.0.0' } }, { 'node_modules/a': { version: '1.0.0' } })).toBe(false)
  expect(installed({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }, { 'node_modules/a': { version: '1.0.0' } })).toBe(false)
})

it.each(['18.20.1', '20.18.3'])('refuses Node %s in one line that says which to install', (version) => {
  expect(ask(`d.checkNode('${version}')`)).toBe(`Node ${version} is too old: install Node 20.19 or newer (https://nodejs.org) and run the command again.`)
})

it.each(['20.19.0', '22.1.0', '26.0.0'])('works with Node %s', (version) => {
  expect(ask(`d.checkNode('${version}')`)).toBe('undefined')
})
