-- Version 3: an event leaves two dead rows when it is delivered, and the index of open events is read from its beginning, where they are. By default they
-- are removed when a fifth of the table is dead: the cost of an event would grow with the table.
ALTER TABLE usage_billing.event SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000);
