/** Whatever goes wrong in set-up is one line that names it and says what to do. */
import { readConfig } from '../../config'
import { Complaint, inOneLine } from '../../dev/complaint'

const fault = (code: string, path?: string): Error => Object.assign(new Error(`${code}: something, write`), { code, path })

it.each([
  ['a full disk, told by its code', fault('ENOSPC', '/data/x'), /^The disk is full \(writing \/data\/x\): free some space/],
  ['a full disk, told by another program', new Error('initdb: could not write: No space left on device'), /^The disk is full: free some space/],
  ['a folder that may not be written', fault('EACCES', '/data'), /^\/data may not be written: .* run npm start again/],
  ['a file where a folder should be', fault('ENOTDIR', '/data'), /^\/data is not a folder: move it away/],
  ['several lines of somebody else', new Error('first\n  second'), /^first · second/],
])('%s', (_, error, line) => {
  expect(inOneLine(error)).toMatch(line)
  expect(inOneLine(error)).not.toContain('\n')
})

it('names a wrong variable and what it should be', () => {
  let said = ''
  try {
    readConfig({ DATABASE_URL: 'mysql://x', PORT: '99999' })
  } catch (error) {
    said = inOneLine(error)
  }
  expect(said).toMatch(/DATABASE_URL is wrong: must start with postgres:\/\/.*PORT is wrong.*Correct it and run npm start again\.$/)
})

it('leaves a complaint as it is', () => {
  expect(inOneLine(new Complaint('Port 3000 is in use: choose another one.'))).toBe('Port 3000 is in use: choose another one.')
})
