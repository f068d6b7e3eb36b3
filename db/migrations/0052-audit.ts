/** Which command an audit row belongs to, so that none is without one and none has two; and the ways of reading it. */
export const name = '0052-audit'

export const up = `
ALTER TABLE audit ADD COLUMN command_id text;
CREATE UNIQUE INDEX audit_one_per_command ON audit (command_id) WHERE command_id IS NOT NULL;
CREATE INDEX audit_of_actor ON audit (actor, audit_id);
CREATE INDEX audit_by_time ON audit USING brin (at);
`
