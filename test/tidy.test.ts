/** Style is a test with an exception list that only shrinks. It starts empty. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

/** `path: rule` of what is let pass for now, each with its reason. */
const exceptions: readonly string[] = []

const root = join(__dirname, '..')
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean)
const sources = tracked.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8'), isTest: path.startsWith('test/') }))
const typescript = sources.filter((s) => s.path.endsWith('.ts'))
const found = (rule: string, broken: (source: (typeof sources)[number]) => string | false, among = sources): string[] =>
  among.flatMap((s) => {
    const how = broken(s)
    return how !== false && !exceptions.includes(`${s.path}: ${rule}`) ? [`${s.path}: ${rule}: ${how}`] : []
  })

const lines = (text: string): number => text.trimEnd().split('\n').length

it('keeps every file to one idea: at most 400 lines, tests 600', () => {
  expect(found('too long', (s) => lines(s.text) > (s.isTest ? 600 : 400) && `${lines(s.text)} lines`)).toEqual([])
})

it('keeps files small as a rule: median at most 80 lines, nine in ten at most 200', () => {
  const lengths = sources.filter((s) => !s.isTest).map((s) => lines(s.text)).sort((a, b) => a - b)
  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(80)
  expect(lengths[Math.floor(lengths.length * 0.9)]).toBeLessThanOrEqual(200)
})

it('keeps functions to a page: at most 70 lines', () => {
  const longest = (s: (typeof sources)[number]): string | false => {
    const file = ts.createSourceFile(s.path, s.text, ts.ScriptTarget.Latest, true)
    let worst: { name: string; length: number } | undefined
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body) {
        const length = file.getLineAndCharacterOfPosition(node.end).line - file.getLineAndCharacterOfPosition(node.getStart()).line + 1
        const name = node.name?.getText() ?? 'a function'
        if (length > (worst?.length ?? 70)) worst = { name, length }
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
    return worst ? `${worst.name} has ${worst.length} lines` : false
  }
  expect(found('long function', longest, typescript.filter((s) => !s.isTest))).toEqual([])
})

it('says in the first line of every file what it is and why it exists', () => {
  expect(found('no opening comment', (s) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(s.text) && s.text.slice(0, 40))).toEqual([])
})

it('gives no file or folder a name that says nothing', () => {
  const empty = /^(utils?|helpers?|common|types|services|shared|misc)$/
  expect(found('empty name', (s) => s.path.split('/').map((part) => part.replace(/\..*$/, '')).find((part) => empty.test(part)) ?? false)).toEqual([])
})

it('gives no type a name that says nothing', () => {
  const empty = /\b(?:class|interface|type)\s+(\w*(?:Manager|Impl|DTO|Helper|Util)\w*|I[A-Z][a-z]\w*)\b/
  expect(found('empty type name', (s) => empty.exec(s.text)?.[1] ?? false, typescript)).toEqual([])
})

it('uses no TypeScript enum', () => {
  expect(found('enum', (s) => /^\s*(export\s+)?(const\s+)?enum\s/m.test(s.text) && 'enum', typescript)).toEqual([])
})

it('keeps SQL in db/ and nowhere else', () => {
  const sql = /\b(SELECT\s.+\sFROM\s|INSERT INTO\s|UPDATE\s\w+\sSET\s|DELETE FROM\s)/
  const outside = typescript.filter((s) => !/^(db|dev|bench|test)\//.test(s.path))
  expect(found('SQL outside db/', (s) => sql.exec(s.text)?.[0] ?? false, outside)).toEqual([])
})

it('has no file that nothing uses', () => {
  const imports = new Set<string>()
  for (const s of sources)
    for (const [, path] of s.text.matchAll(/(?:from|import|require|resolve)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = relative(root, resolve(root, dirname(s.path), path!))
      for (const end of ['', '.ts', '.mjs', '/index.ts']) imports.add(target.replace(/\.js$/, '') + end)
    }
  const named = ['package.json', '.ci/run', 'jest.config.js', 'Dockerfile', 'docker-compose.yml', ...tracked.filter((p) => p.startsWith('dev/'))].map((p) => read(join(root, p))).join('\n')
  const isRoot = (path: string): boolean => path.endsWith('.test.ts') || path === 'eslint.config.mjs' || named.includes(path) || named.includes(basename(path, '.ts') + '.ts') || named.includes(basename(path))
  expect(found('unused', (s) => !imports.has(s.path) && !isRoot(s.path) && 'nothing imports or runs it')).toEqual([])
})

it('passes the type checker', () => {
  expect(run('node_modules/typescript/bin/tsc', ['--noEmit'])).toBe('')
}, 120_000)

it('passes the linter: direction of imports, no cycles, no clock and no chance in domain and workflows', () => {
  expect(run('node_modules/eslint/bin/eslint.js', ['.'])).toBe('')
}, 120_000)

/** @returns what the tool complained about. */
function run(script: string, args: readonly string[]): string {
  try {
    execFileSync(process.execPath, [join(root, script), ...args], { cwd: root, encoding: 'utf8', stdio: 'pipe' })
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout || String(error)
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
