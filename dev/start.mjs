/** `npm start`: everything on this machine, from nothing. Node's own modules first, then dev/start.ts in the same process. */
import { createRequire } from 'node:module'
import { ready } from './dependencies.mjs'

await ready()
await import('tsx')
createRequire(import.meta.url)('./start.ts').start(process.argv.slice(2))
