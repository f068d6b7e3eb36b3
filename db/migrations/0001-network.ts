/** Who sells, who may call, where goods are: channels, API keys, nodes, SKUs, drivers, policies. */
export const name = '0001-network'

export const up = `
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE channels (
  channel_id text PRIMARY KEY,
  name text NOT NULL,
  currency text NOT NULL,
  time_zone text NOT NULL,
  claim text NOT NULL DEFAULT 'required' CHECK (claim IN ('required', 'later')),
  shopify_secret text,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
  api_key_id uuid PRIMARY KEY,
  key_hash bytea NOT NULL UNIQUE,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('channel', 'store', 'courier', 'support', 'operations', 'finance', 'admin')),
  channels text[] NOT NULL DEFAULT '{}',
  nodes text[] NOT NULL DEFAULT '{}',
  driver_id text,
  demo boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

CREATE TABLE nodes (
  node_id text PRIMARY KEY,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('warehouse', 'store', 'vendor', '3pl')),
  time_zone text NOT NULL,
  country text NOT NULL,
  latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
  longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
  address jsonb NOT NULL DEFAULT '{}',
  calendar jsonb NOT NULL DEFAULT '{}',
  cutoffs jsonb NOT NULL DEFAULT '{}',
  capacity jsonb NOT NULL DEFAULT '{}',
  methods text[] NOT NULL DEFAULT '{delivery}',
  active boolean NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE skus (
  sku text PRIMARY KEY,
  name text NOT NULL,
  weight_grams integer NOT NULL CHECK (weight_grams > 0),
  length_mm integer CHECK (length_mm > 0),
  width_mm integer CHECK (width_mm > 0),
  height_mm integer CHECK (height_mm > 0),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE drivers (
  driver_id text PRIMARY KEY,
  name text NOT NULL,
  home_nodes text[] NOT NULL DEFAULT '{}',
  shift jsonb NOT NULL DEFAULT '{}',
  vehicle jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE policies (
  kind text NOT NULL,
  version integer NOT NULL,
  document jsonb NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'scheduled', 'active', 'retired')),
  activate_at timestamptz,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, version)
);
CREATE UNIQUE INDEX policies_one_active ON policies (kind) WHERE status = 'active';
`
