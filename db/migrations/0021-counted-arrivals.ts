/** Counts come by the hundred thousand: what they raise is noted by the statement that takes them, not by a trigger per row. */
export const name = '0021-counted-arrivals'

export const up = `
DROP TRIGGER stock_levels_arrival ON stock_levels;
CREATE TRIGGER stock_levels_arrival AFTER UPDATE ON stock_levels FOR EACH ROW
  WHEN (NEW.counted_as_of IS NOT DISTINCT FROM OLD.counted_as_of
        AND NEW.on_hand - NEW.unsellable - NEW.reserved - NEW.allocated - NEW.safety_stock > greatest(0, OLD.on_hand - OLD.unsellable - OLD.reserved - OLD.allocated - OLD.safety_stock))
  EXECUTE FUNCTION note_arrival();
`
