/** Bundles the workflows for the sandbox: once per set of sources, kept beside them, so that a worker is up in a second. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker'

const root = join(__dirname, '..', '..')

/** @param prebuilt path of a bundle made at build time; none: bundles now, or takes the kept one if no source has changed. */
export async function workflowBundle(prebuilt?: string): Promise<WorkflowBundleOption> {
  if (prebuilt) return { codePath: prebuilt }
  const kept = join(root, 'node_modules', '.cache', 'throughline', `workflows-${fingerprint()}.js`)
  if (!exists(kept)) await writeBundle(kept)
  return { codePath: kept }
}

/** Bundles into a file; whole or not at all. */
export async function writeBundle(path: string): Promise<void> {
  const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('../index'), logger: silent })
  mkdirSync(join(path, '..'), { recursive: true })
  const half = `${path}.${process.pid}`
  writeFileSync(half, code)
  renameSync(half, path)
}

/** Of everything that goes into the sandbox: our workflows and domain, and the SDK that runs them. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const folder of ['workflows', 'domain'])
    for (const file of (readdirSync(join(root, folder), { recursive: true }) as string[]).sort())
      if (/\.(ts|js)$/.test(file)) hash.update(file).update(readFileSync(join(root, folder, file)))
  hash.update(readFileSync(join(root, 'node_modules', '@temporalio', 'worker', 'package.json')))
  return hash.digest('hex').slice(0, 16)
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
const silent = { log: () => undefined, trace: () => undefined, debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error }

if (require.main === module) writeBundle(process.argv[2] ?? 'workflow-bundle.js').catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
