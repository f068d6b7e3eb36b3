/** `npm test`: every suite against real servers, from nothing. Node's own modules first, then dev/test.ts in the same process. */
import { createRequire } from 'node:module'
import { ready } from './dependencies.mjs'

await ready()
await import('tsx')
createRequire(import.meta.url)('./test.ts').test(process.argv.slice(2))
