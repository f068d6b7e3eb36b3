/** The first key of an empty installation, of role admin: `npm run first-key`. Printed once; there is none to be had this way while another admin key works. */
import { readConfig } from '../config'
import { hasAdminKey, makeApiKey } from '../db/api-keys'
import { writeAudit } from '../db/audit'
import { connect } from '../db/connection'
import { migrate } from '../db/migrate'
import { newApiKey, prefixOf } from './key-text'

const actor = 'throughline:first-key'

/** @returns the key; undefined where there is an admin key already */
export async function makeFirstKey(databaseUrl: string): Promise<string | undefined> {
  await migrate(databaseUrl)
  const db = connect(databaseUrl, { poolMax: 1, applicationName: 'throughline first key' })
  try {
    return await db.transaction(async (tx) => {
      if (await hasAdminKey(tx)) return undefined
      const key = newApiKey()
      const apiKeyId = await makeApiKey(tx, { key, prefix: prefixOf(key), name: 'first key', role: 'admin', actor })
      await writeAudit(tx, { actor, action: 'api_key.create', subject: apiKeyId, cause: 'no admin key was there' })
      return key
    })
  } finally {
    await db.destroy()
  }
}

if (require.main === module) {
  makeFirstKey(readConfig().DATABASE_URL).then(
    (key) => {
      if (key === undefined) console.error('There is an admin key already: make others with POST /v1/api-keys')
      else console.log(key)
      process.exitCode = key === undefined ? 1 : 0
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    },
  )
}
