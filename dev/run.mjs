/** `node dev/run.mjs <file.ts> …`: makes sure the dependencies are there and runs one TypeScript file in this very process, so that signals and exit codes are its own. */
import Module from 'node:module'
import { resolve } from 'node:path'
import { ready, root } from './dependencies.mjs'

await ready()
await import('tsx')
const [node, , file, ...rest] = process.argv
if (!file) {
  console.error('Name the file to run: node dev/run.mjs <file.ts> …')
  process.exit(1)
}
process.argv = [node, resolve(root, file), ...rest]
Module.runMain()
