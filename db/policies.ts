/**
 * Business rules as immutable versions: a draft is written once, then activated now or from a moment on. A scheduled version needs nobody
 * to switch it on: which one applies is decided when it is read. A kind nobody has touched has one version, the default.
 */
import { defaultPolicies, policyKinds, type Policies, type PolicyKind } from '../domain/policy/kinds'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface ActivePolicies {
  documents: Policies
  versions: Record<PolicyKind, number>
}

/** The version that applies now: among those whose time has come, the one whose time came last. */
const inForce = `SELECT DISTINCT ON (kind) kind, version, document FROM policies
  WHERE status = 'active' OR (status = 'scheduled' AND activate_at <= now()) ORDER BY kind, activate_at DESC NULLS LAST, version DESC`

const freshForMs = 1_000
const remembered = new WeakMap<object, { policies: ActivePolicies; until: number }>()

/** What applies to an order placed now. May be a second old, and is the same inside and outside of a transaction. */
export async function activePolicies(db: Db | Transaction): Promise<ActivePolicies> {
  // A transaction shares the configuration object of its pool, so both find the same memory.
  const pool = (db.client as { config: object }).config
  const known = remembered.get(pool)
  if (known && known.until > Date.now()) return known.policies
  const found = await rows<{ kind: PolicyKind; version: number; document: never }>(db, inForce)
  const policies: ActivePolicies = { documents: { ...defaultPolicies }, versions: Object.fromEntries(policyKinds.map((kind) => [kind, 1])) as Record<PolicyKind, number> }
  for (const { kind, version, document } of found) {
    policies.documents[kind] = document
    policies.versions[kind] = version
  }
  remembered.set(pool, { policies, until: Date.now() + freshForMs })
  return policies
}

export interface PolicyVersion {
  kind: PolicyKind
  version: number
  status: 'draft' | 'scheduled' | 'active' | 'retired'
  document: unknown
  activateAt: string | null
  createdBy: string
  createdAt: string | null
}

/** Every version of a kind, newest first, with the status it has at this moment. */
export async function policyVersions(db: Db | Transaction, kind: PolicyKind): Promise<PolicyVersion[]> {
  const found = await rows<PolicyVersion & { due: boolean }>(
    db,
    `SELECT kind, version, status, document, activate_at AS "activateAt", created_by AS "createdBy", created_at AS "createdAt",
       status = 'active' OR (status = 'scheduled' AND activate_at <= now()) AS due
     FROM policies WHERE kind = ? ORDER BY version DESC`,
    [kind],
  )
  if (found.length === 0) return [{ kind, version: 1, status: 'active', document: defaultPolicies[kind], activateAt: null, createdBy: 'throughline', createdAt: null }]
  const active = (await row<{ version: number }>(db, `SELECT version FROM (${inForce}) p WHERE kind = ?`, [kind]))?.version
  return found.map(({ due, ...version }) => ({ ...version, status: version.version === active ? 'active' : due ? 'retired' : version.status }))
}

/** One version's document; absent: the one in force. @throws `policy.unknown` */
export async function policyDocument(db: Db | Transaction, kind: PolicyKind, version?: number): Promise<{ version: number; document: unknown }> {
  const versions = await policyVersions(db, kind)
  const found = versions.find((v) => (version === undefined ? v.status === 'active' : v.version === version))
  if (!found) throw refuse('policy.unknown', { kind, version })
  return found
}

/** Writes a new version as a draft. */
export async function draftPolicy(tx: Transaction, draft: { kind: PolicyKind; document: unknown; actor: string }): Promise<{ version: number }> {
  await lockKind(tx, draft.kind)
  await run(tx, 
    `INSERT INTO policies (kind, version, document, status, created_by) VALUES (?, 1, ?::jsonb, 'active', 'throughline') ON CONFLICT DO NOTHING`,
    [draft.kind, JSON.stringify(defaultPolicies[draft.kind])],
  )
  const drafted = await row<{ version: number }>(
    tx,
    `INSERT INTO policies (kind, version, document, status, created_by)
     VALUES (?, (SELECT max(version) + 1 FROM policies WHERE kind = ?), ?::jsonb, 'draft', ?) RETURNING version`,
    [draft.kind, draft.kind, JSON.stringify(draft.document), draft.actor],
  )
  await writeAudit(tx, { actor: draft.actor, action: 'policy.draft', subject: `${draft.kind}/${drafted!.version}`, cause: 'api' })
  return drafted!
}

/**
 * Lets a draft apply from `at` on; absent or past: from now on, and what applied before is retired.
 * @throws `policy.unknown`, `policy.not_draft`
 */
export async function activatePolicy(tx: Transaction, ask: { kind: PolicyKind; version: number; at?: string; actor: string }): Promise<PolicyVersion> {
  const { kind, version } = ask
  await lockKind(tx, kind)
  const found = (await policyVersions(tx, kind)).find((v) => v.version === version)
  if (!found) throw refuse('policy.unknown', { kind, version })
  if (found.status !== 'draft') throw refuse('policy.not_draft', { state: found.status })
  const later = ask.at !== undefined && Date.parse(ask.at) > Date.now() ? ask.at : undefined
  if (later) await run(tx, `UPDATE policies SET status = 'scheduled', activate_at = ? WHERE kind = ? AND version = ?`, [later, kind, version])
  else await activateNow(tx, kind, version)
  await writeAudit(tx, { actor: ask.actor, action: 'policy.activate', subject: `${kind}/${version}`, cause: later ? `from ${later}` : 'now' })
  forget(tx)
  return (await policyVersions(tx, kind)).find((v) => v.version === version)!
}

/**
 * Lets the version apply again that applied before the present one; doing it twice leads back.
 * @throws `policy.no_earlier`
 */
export async function returnToLast(tx: Transaction, { kind, actor }: { kind: PolicyKind; actor: string }): Promise<PolicyVersion> {
  await lockKind(tx, kind)
  const versions = await policyVersions(tx, kind)
  const since = (v: PolicyVersion): number => (v.activateAt === null ? Number.NEGATIVE_INFINITY : Date.parse(v.activateAt))
  const [last] = versions.filter((v) => v.status === 'retired').sort((a, b) => since(b) - since(a) || b.version - a.version)
  if (!last) throw refuse('policy.no_earlier', { kind })
  await activateNow(tx, kind, last.version)
  await writeAudit(tx, { actor, action: 'policy.return', subject: `${kind}/${last.version}`, cause: 'now' })
  forget(tx)
  return (await policyVersions(tx, kind)).find((v) => v.version === last.version)!
}

const forget = (tx: Transaction): void => void remembered.delete((tx.client as { config: object }).config)

async function activateNow(tx: Transaction, kind: PolicyKind, version: number): Promise<void> {
  await run(tx, `UPDATE policies SET status = 'retired' WHERE kind = ? AND (status = 'active' OR (status = 'scheduled' AND activate_at <= now()))`, [kind])
  await run(tx, `UPDATE policies SET status = 'active', activate_at = now() WHERE kind = ? AND version = ?`, [kind, version])
}

/** Versions of a kind are numbered and switched by one at a time. */
const lockKind = (tx: Transaction, kind: PolicyKind): Promise<unknown> => tx.raw(`SELECT pg_advisory_xact_lock(hashtext('policy'), hashtext(?))`, [kind])
