/** What is available of a kit: it has no shelf of its own, so it is read off those of its components, node by node. */
import { wholeKits } from '../../domain/inventory/kit'
import type { KitPart } from '../../domain/order/kits'
import type { Db } from '../connection'
import { kitsAmong } from '../kits'
import { levelList, type LevelFilter, type LevelView } from './stock'

const everyNode = 100_000

/** The levels of SKUs on shelves; asked for a kit, what could be made of its components at every node that has all of them. */
export async function levelsOrKit(db: Db, filter: LevelFilter): Promise<LevelView[]> {
  const parts = filter.sku === undefined ? undefined : (await kitsAmong(db, [filter.sku]))[filter.sku]
  return parts ? kitLevels(db, filter, filter.sku!, parts) : levelList(db, filter)
}

async function kitLevels(db: Db, filter: LevelFilter, kit: string, parts: readonly KitPart[]): Promise<LevelView[]> {
  const byNode = new Map<string, LevelView[]>()
  for (const { sku } of parts)
    for (const level of await levelList(db, { nodeId: filter.nodeId, nodes: filter.nodes, sku, limit: everyNode })) byNode.set(level.nodeId, [...(byNode.get(level.nodeId) ?? []), level])
  return [...byNode]
    .filter(([nodeId, levels]) => levels.length === parts.length && (filter.after === undefined || nodeId > filter.after.nodeId))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, filter.limit)
    .map(([nodeId, levels]) => ofComponents(kit, nodeId, parts, levels))
}

function ofComponents(sku: string, nodeId: string, parts: readonly KitPart[], levels: readonly LevelView[]): LevelView {
  const kits = (units: (level: LevelView) => number): number => wholeKits(parts, (part) => units(levels.find((l) => l.sku === part)!))
  const channels = Object.keys(levels[0]!.channels)
  return {
    sku,
    nodeId,
    onHand: 0,
    unsellable: 0,
    reserved: 0,
    allocated: 0,
    safetyStock: 0,
    trust: Math.min(...levels.map((l) => l.trust)),
    available: kits((l) => l.available),
    channels: Object.fromEntries(channels.map((channel) => [channel, kits((l) => l.channels[channel]!)])),
    expected: [],
    countedAsOf: null,
    components: parts.map((part) => ({ ...part, available: levels.find((l) => l.sku === part.sku)!.available })),
  }
}
