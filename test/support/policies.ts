/** Test policies are versions like any other, activated before the first order. */
import type { Db } from '../../db/connection'
import { defaultPolicies, type Policies } from '../../domain/policy/kinds'

export type PolicyChanges = { [K in keyof Policies]?: Partial<Policies[K]> }

export async function activate(db: Db, changes: PolicyChanges): Promise<void> {
  for (const [kind, change] of Object.entries(changes) as [keyof Policies, object][])
    await db('policies').insert({ kind, version: 2, document: JSON.stringify({ ...defaultPolicies[kind], ...change }), status: 'active', created_by: 'test', activate_at: db.fn.now() })
}
