/** The policy lab: back-tests that were asked for, how far they are and what came out. */
export const name = '0013-back-tests'

export const up = `
CREATE TABLE back_tests (
  back_test_id uuid PRIMARY KEY,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
  ask jsonb NOT NULL,
  done integer NOT NULL DEFAULT 0,
  of integer NOT NULL,
  result jsonb,
  failure text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  CHECK (done >= 0 AND of >= done),
  CHECK ((status = 'running') = (ended_at IS NULL)),
  CHECK ((status = 'done') = (result IS NOT NULL) AND (status = 'failed') = (failure IS NOT NULL))
);
CREATE INDEX back_tests_to_start ON back_tests (created_at) WHERE started_at IS NULL;
`
