/** Where tests run there is no container engine, so the Dockerfile and the compose file are read, and everything they name is held against the sources. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { parse } from 'yaml'
import { variables } from '../config'
import { dynamicConfig } from '../dev/temporal-server'
import { searchAttributes } from '../domain/search-attributes'
import { readText, root } from './support/markdown'

interface Service {
  image?: string
  build?: { args?: Record<string, string> }
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string | number>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  network_mode?: string
  ports?: string[]
  profiles?: string[]
  volumes?: string[]
}

const text = readText('docker-compose.yml')
const { services, volumes, configs } = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown>; configs: Record<string, { content: string }> }
const all = Object.entries(services)
const dockerfile = readText('Dockerfile')
/** The services that run our own image. */
const ours = all.filter(([, service]) => service.build)
/** Services that end when their work is done. */
const jobs = all.filter(([name]) => all.some(([, other]) => other.depends_on?.[name]?.condition === 'service_completed_successfully')).map(([name]) => name)

it('runs every part as a service of its own', () => {
  expect(Object.keys(services).sort()).toEqual([
    'api', 'carrier-simulator', 'fraud-simulator', 'payment-simulator', 'postgresql', 'temporal', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker',
  ])
  expect(all.filter(([, service]) => service.profiles).map(([name]) => name).sort()).toEqual(['carrier-simulator', 'fraud-simulator', 'payment-simulator'])
})

it('pins every image to a version', () => {
  const images = [...all.map(([, service]) => service.image ?? ''), ...[...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]!)]
  const foreign = images.filter((image) => !image.startsWith('throughline:'))
  expect(foreign.length).toBeGreaterThan(5)
  expect(foreign.filter((image) => !/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(image))).toEqual([])
  expect(dockerfile.match(/^FROM node:24\./gm)).toHaveLength(3)
  expect(services.postgresql!.image).toMatch(/^postgres:18\./)
  expect(services['temporal-schema']!.image!.split(':')[1]).toBe(services.temporal!.image!.split(':')[1])
})

it('looks after the health of everything that keeps running', () => {
  expect(jobs.sort()).toEqual(['temporal-namespace', 'temporal-schema'])
  expect(all.filter(([name, service]) => !service.healthcheck && !jobs.includes(name)).map(([name]) => name)).toEqual([])
  expect(dockerfile).toMatch(/^HEALTHCHECK /m)
})

it('waits for what a service needs: jobs until they are done, servers until they are healthy', () => {
  const waits = all.flatMap(([name, service]) => Object.entries(service.depends_on ?? {}).map(([on, { condition }]) => ({ name, on, condition })))
  expect(waits.filter(({ on }) => !(on in services))).toEqual([])
  const expected = (on: string): string[] => (jobs.includes(on) ? ['service_completed_successfully'] : ['service_healthy', 'service_started'])
  expect(waits.filter(({ on, condition }) => !expected(on).includes(condition))).toEqual([])
  // `started` is enough only for what shares another's network.
  expect(waits.filter(({ name, on, condition }) => condition === 'service_started' && services[name]!.network_mode !== `service:${on}`)).toEqual([])
  expect(Object.keys(services.worker!.depends_on!).sort()).toEqual(['postgresql', 'temporal-namespace'])
  expect(services.api!.depends_on).toEqual(services.worker!.depends_on)
})

it('sets only variables that their reader knows', () => {
  const known = (name: string): boolean => name in variables || /^TEMPORAL_[A-Z_]+$/.test(name)
  expect(ours.flatMap(([name, { environment }]) => Object.keys(environment ?? {}).filter((v) => !known(v)).map((v) => `${name}: ${v}`))).toEqual([])
  const foreign = all.filter(([name]) => !ours.some(([own]) => own === name))
  const theirs = /^(POSTGRES_[A-Z]+|TEMPORAL_[A-Z_]+|SQL_PASSWORD|DB|DB_PORT|BIND_ON_IP|DYNAMIC_CONFIG_FILE_PATH)$/
  expect(foreign.flatMap(([name, { environment }]) => Object.keys(environment ?? {}).filter((v) => !theirs.test(v)).map((v) => `${name}: ${v}`))).toEqual([])
  const asked = [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map((match) => match[1]!)
  expect(asked.filter((name) => !known(name) && name !== 'POSTGRES_PASSWORD')).toEqual([])
  const inImage = [...dockerfile.matchAll(/(?<=^ENV .*)\b([A-Z_]+)=/gm)].map((match) => match[1]!)
  expect(inImage.length).toBeGreaterThan(3)
  expect(inImage.filter((name) => !known(name) && name !== 'NODE_ENV')).toEqual([])
})

it('gives each process what it cannot do without, and the api no key of the provider', () => {
  for (const service of [services.worker!, services.api!]) expect(Object.keys(service.environment!)).toEqual(expect.arrayContaining(['DATABASE_URL', 'TEMPORAL_ADDRESS', 'CUSTOMER_REF_SECRET']))
  expect(services.worker!.environment).toHaveProperty('STRIPE_API_KEY')
  expect(services.api!.environment).not.toHaveProperty('STRIPE_API_KEY')
  expect(services.api!.environment).toHaveProperty('STRIPE_WEBHOOK_SECRET')
})

it('publishes nothing beyond this machine', () => {
  expect(all.flatMap(([, service]) => service.ports ?? []).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
})

it('declares the volumes and configs it mounts', () => {
  const mounted = all.flatMap(([, service]) => service.volumes ?? []).map((volume) => volume.split(':')[0]!)
  expect([...new Set(mounted)].sort()).toEqual(Object.keys(volumes).sort())
})

it('sets up Temporal as the servers we start ourselves', () => {
  expect(parse(configs['temporal-dynamic-config']!.content)).toEqual(Object.fromEntries(Object.entries(dynamicConfig).map(([key, value]) => [key, [{ value }]])))
})

it('registers the search attributes of the project', () => {
  const registered = [...services['temporal-namespace']!.command!.join('\n').matchAll(/--name (\w+) --type (\w+)/g)].map((match) => [match[1], match[2]!.toUpperCase()])
  expect(Object.fromEntries(registered)).toEqual(searchAttributes)
})

it('runs files that the build makes', () => {
  const { include } = JSON.parse(readText('tsconfig.build.json')) as { include: string[] }
  const run = [...ours.map(([, service]) => (service.command ?? []).find((part) => part.startsWith('dist/'))), /CMD .*"(dist\/[^"]+)"/.exec(dockerfile.slice(dockerfile.lastIndexOf('CMD')))?.[1]]
  expect(run).toHaveLength(6)
  for (const path of run) {
    const source = path!.replace(/^dist\//, '').replace(/\.js$/, '.ts')
    expect(existsSync(join(root, source))).toBe(true)
    expect(include.some((pattern) => pattern === source || source.startsWith(pattern.replace(/\*\*\/\*\.ts$/, '')))).toBe(true)
  }
})

it('copies everything that is built into the image, and sends nothing else to the builder', () => {
  const { include } = JSON.parse(readText('tsconfig.build.json')) as { include: string[] }
  const built = include.map((pattern) => pattern.replace(/\/\*\*\/\*\.ts$/, ''))
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap((match) => match[1]!.split(' ').slice(0, -1))
  expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
  expect(built.filter((path) => !copied.includes(path))).toEqual([])
  const sent = readText('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  expect([...new Set(copied)].sort()).toEqual(sent.sort())
})

it('does not run as root', () => {
  expect(dockerfile.lastIndexOf('\nUSER node')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM'))
})

it('needs no package at run time that is left out of the image', () => {
  const { include } = JSON.parse(readText('tsconfig.build.json')) as { include: string[] }
  const files = include.flatMap((pattern) => sources(pattern.replace(/\/\*\*\/\*\.ts$/, '')))
  const { dependencies } = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> }
  const imported = files.flatMap((file) => [...readText(file).matchAll(/^import (?!type)[^'\n]*?(?:\{[^}]*\} )?(?:from )?'([^.'][^']*)'/gm)].map((match) => match[1]!))
  const packages = new Set(imported.map((name) => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')))
  expect(packages.size).toBeGreaterThan(8)
  expect([...packages].filter((name) => !(name in dependencies) && !name.startsWith('node:') && !builtinModules.includes(name))).toEqual([])
})

function sources(path: string): string[] {
  if (statSync(join(root, path)).isFile()) return [path]
  return (readdirSync(join(root, path), { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).map((file) => `${path}/${file}`)
}
