/** Goods that not every node may send: dangerous ones, and such that leave the country only with papers. */
export const name = '0024-goods-under-rules'

export const up = `
ALTER TABLE skus ADD COLUMN hazardous boolean NOT NULL DEFAULT false, ADD COLUMN export_controlled boolean NOT NULL DEFAULT false;
ALTER TABLE nodes ADD COLUMN handles_hazardous boolean NOT NULL DEFAULT false, ADD COLUMN exports_to text[] NOT NULL DEFAULT '{}';
CREATE INDEX skus_under_rules ON skus (sku) WHERE hazardous OR export_controlled;
`
