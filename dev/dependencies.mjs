/**
 * The first step of every command, written with Node's own modules alone: is this Node new enough, and are the dependencies of
 * package-lock.json in place? If not, `npm ci` puts them there. Everything after it may import packages.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const leastNode = [20, 19]
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Leaves the process with one line and exit code 1 when something is missing that only a person can put right. */
export async function ready() {
  try {
    checkNode(process.versions.node)
    if (!isInstalled(root)) await install()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}

/** @throws Error when `version` is older than what the project is written for. */
export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number)
  const isNewEnough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
  if (!isNewEnough) throw new Error(`Node ${version} is too old: install Node ${leastNode.join('.')} or newer (https://nodejs.org) and run the command again.`)
}

/** Compares what npm says it installed with the lock file, package by package: times of files lie after a checkout. Packages for other platforms may be absent. */
export function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = packagesOf(join(folder, 'package-lock.json'))
  const present = packagesOf(record)
  return Object.entries(wanted).every(([path, entry]) => path === '' || present[path]?.version === entry.version || (entry.optional && !present[path]))
}

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {}

/** Development dependencies are part of it whatever NODE_ENV says: they run the TypeScript. */
async function install() {
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const since = Date.now()
  const stopTelling = tell(since)
  const { code, output } = await finished(npm[0], [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  stopTelling()
  if (code !== 0) throw new Error(`npm ci failed: ${reasonIn(output) || `exit code ${code}`} — all it said is in ${keep(output)}; put that right and run the command again.`)
  console.log(`  dependencies   installed (${seconds(since)} s)`)
}

/** npm tells the reason once, among its usage and the place of its log. */
const reasonIn = (output) =>
  output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)/, '').trim())
    .find((line) => line !== '' && !/^(code|errno|syscall|path) |^npm warn|^A complete log/.test(line))

function keep(output) {
  const file = join(root, '.data', 'logs', 'npm-ci.log')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, output)
  return file
}

/** Says how long it has taken so far: on a terminal by rewriting one line, in a log now and then. */
function tell(since) {
  const isTerminal = Boolean(process.stdout.isTTY)
  const say = () => process.stdout.write(`${isTerminal ? '\r' : ''}  dependencies   npm ci, once … ${seconds(since)} s${isTerminal ? '' : '\n'}`)
  say()
  const timer = setInterval(say, isTerminal ? 1000 : 15_000)
  return () => {
    clearInterval(timer)
    if (isTerminal) process.stdout.write('\r\x1b[2K')
  }
}

const seconds = (since) => Math.round((Date.now() - since) / 1000)

function finished(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    const stop = () => child.kill()
    const leave = () => (stop(), process.exit(130))
    for (const signal of signals) process.once(signal, leave)
    process.once('exit', stop)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-50_000)))
    child.once('error', (error) => resolve({ code: error.code ?? 1, output: String(error.message) }))
    child.once('close', (code, signal) => {
      for (const name of signals) process.removeListener(name, leave)
      process.removeListener('exit', stop)
      resolve({ code: code ?? signal, output })
    })
  })
}
