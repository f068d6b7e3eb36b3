/** The policies an order was placed under, kept once for all orders placed under them: an order's row is written many times in its life, and they never change. */
export const name = '0025-policy-snapshots'

export const up = `
CREATE TABLE policy_snapshots (
  snapshot_id text PRIMARY KEY,
  document jsonb NOT NULL
);
CREATE TRIGGER policy_snapshots_append_only BEFORE UPDATE OR DELETE ON policy_snapshots FOR EACH ROW EXECUTE FUNCTION refuse_change();

INSERT INTO policy_snapshots (snapshot_id, document) SELECT DISTINCT ON (md5(policy::text)) md5(policy::text), policy FROM orders;
ALTER TABLE orders ADD COLUMN policy_snapshot_id text;
UPDATE orders SET policy_snapshot_id = md5(policy::text);
-- No foreign key: its lock on the one row that all orders name would be the hottest in the database, and nothing there can be deleted.
ALTER TABLE orders ALTER COLUMN policy_snapshot_id SET NOT NULL, DROP COLUMN policy;
`
