/**
 * The schema, a step a version: a database is brought up to date at the start, forward only. A step that was released is
 * never changed. Times are Unix milliseconds, lists and objects JSON, money nano-dollars.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE callers (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     digest BLOB NOT NULL,
     created_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE receipts (
     id TEXT PRIMARY KEY,
     key_id TEXT NOT NULL,
     dialect TEXT NOT NULL,
     model_asked TEXT NOT NULL,
     model TEXT NOT NULL,
     vendor TEXT NOT NULL,
     simulated INTEGER NOT NULL,
     stream INTEGER NOT NULL,
     tries TEXT NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     cache_read INTEGER NOT NULL,
     cache_write_5m INTEGER NOT NULL,
     cache_write_1h INTEGER NOT NULL,
     thinking INTEGER NOT NULL,
     status INTEGER NOT NULL,
     failure TEXT,
     blame TEXT,
     started_ms INTEGER NOT NULL,
     first_byte_ms INTEGER NOT NULL,
     ended_ms INTEGER NOT NULL,
     request_bytes INTEGER NOT NULL,
     reply_bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX receipts_by_key ON receipts (key_id, started_ms);`,

  'ALTER TABLE receipts ADD COLUMN client_id TEXT;',

  `CREATE TABLE owners (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     email TEXT,
     limits TEXT,
     metadata TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     changed_ms INTEGER NOT NULL,
     version INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX owners_by_name ON owners (name, id);

   CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     digest BLOB NOT NULL,
     former_digest BLOB,
     former_until_ms INTEGER,
     state TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'revoked')),
     expires_ms INTEGER,
     owner TEXT REFERENCES owners (id),
     plan TEXT NOT NULL,
     models TEXT,
     networks TEXT,
     limits TEXT,
     sandbox INTEGER NOT NULL,
     ladder TEXT,
     capture_ms INTEGER,
     metadata TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     changed_ms INTEGER NOT NULL,
     last_used_ms INTEGER,
     version INTEGER NOT NULL
   ) STRICT;
   INSERT INTO keys (id, name, digest, state, plan, sandbox, metadata, created_ms, changed_ms, version)
     SELECT id, name, digest, 'active', 'unlimited', 0, '{}', created_ms, created_ms, 1 FROM callers;
   DROP TABLE callers;
   CREATE INDEX keys_by_name ON keys (name, id);
   CREATE INDEX keys_by_owner ON keys (owner, name, id);
   CREATE INDEX keys_by_plan ON keys (plan, name, id);
   CREATE INDEX keys_by_state ON keys (state, name, id);
   CREATE INDEX keys_of_plan ON keys (plan, state);
   CREATE INDEX keys_of_owner ON keys (owner, state);

   CREATE TABLE plans (
     name TEXT PRIMARY KEY,
     plan TEXT NOT NULL,
     changed_ms INTEGER NOT NULL,
     version INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE tokens (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     digest BLOB NOT NULL,
     scopes TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
     created_ms INTEGER NOT NULL,
     expires_ms INTEGER,
     last_used_ms INTEGER
   ) STRICT;

   CREATE TABLE credentials (
     vendor TEXT NOT NULL,
     name TEXT NOT NULL,
     sealed BLOB NOT NULL,
     secret_version INTEGER NOT NULL,
     last4 TEXT NOT NULL,
     weight INTEGER NOT NULL,
     origin TEXT,
     calls_max INTEGER,
     changed_ms INTEGER NOT NULL,
     version INTEGER NOT NULL,
     PRIMARY KEY (vendor, name)
   ) STRICT;

   CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at_ms INTEGER NOT NULL,
     actor_type TEXT NOT NULL,
     actor_id TEXT NOT NULL,
     action TEXT NOT NULL,
     target TEXT NOT NULL,
     before TEXT,
     after TEXT
   ) STRICT;
   CREATE INDEX audit_by_actor ON audit (actor_id, at_ms, id);
   CREATE INDEX audit_by_target ON audit (target, at_ms, id);
   CREATE INDEX audit_by_time ON audit (at_ms, id);
   CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
   CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

   ALTER TABLE receipts ADD COLUMN owner TEXT;
   ALTER TABLE receipts ADD COLUMN plan TEXT NOT NULL DEFAULT '';
   ALTER TABLE receipts ADD COLUMN ladder TEXT;
   ALTER TABLE receipts ADD COLUMN nano_dollars INTEGER;
   ALTER TABLE receipts ADD COLUMN reserved_input INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE receipts ADD COLUMN reserved_output INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE receipts ADD COLUMN reserved_nano INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE receipts ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
   UPDATE receipts SET nano_dollars = 0
     WHERE simulated = 1 OR input + output + cache_read + cache_write_5m + cache_write_1h = 0;
   CREATE INDEX receipts_by_time ON receipts (started_ms);
   CREATE INDEX receipts_by_owner ON receipts (owner, started_ms) WHERE owner IS NOT NULL;
   CREATE INDEX receipts_by_failure ON receipts (failure, started_ms) WHERE failure IS NOT NULL;

   CREATE TABLE intents (
     id TEXT PRIMARY KEY,
     writer TEXT NOT NULL,
     key_id TEXT NOT NULL,
     owner TEXT,
     plan TEXT NOT NULL,
     model TEXT NOT NULL,
     vendor TEXT NOT NULL,
     dialect TEXT NOT NULL,
     simulated INTEGER NOT NULL,
     started_ms INTEGER NOT NULL,
     reserved_input INTEGER NOT NULL,
     reserved_output INTEGER NOT NULL,
     reserved_nano INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX intents_by_writer ON intents (writer);
   CREATE TABLE journals (file TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE synced (only INTEGER PRIMARY KEY CHECK (only = 1), times INTEGER NOT NULL) STRICT;
   INSERT INTO synced VALUES (1, 0);

   CREATE TABLE usage_dimensions (
     id INTEGER PRIMARY KEY,
     key_id TEXT NOT NULL,
     owner TEXT NOT NULL,
     plan TEXT NOT NULL,
     model TEXT NOT NULL,
     vendor TEXT NOT NULL,
     status INTEGER NOT NULL,
     simulated INTEGER NOT NULL,
     UNIQUE (key_id, owner, plan, model, vendor, status, simulated)
   ) STRICT;
   CREATE INDEX usage_dimensions_by_owner ON usage_dimensions (owner);
   ${['hours', 'days', 'months']
     .map(
       (periods) => `CREATE TABLE usage_${periods} (
     period INTEGER NOT NULL,
     dimension INTEGER NOT NULL,
     calls INTEGER NOT NULL,
     failed INTEGER NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     cache_read INTEGER NOT NULL,
     cache_write INTEGER NOT NULL,
     thinking INTEGER NOT NULL,
     nano_dollars INTEGER NOT NULL,
     unpriced INTEGER NOT NULL,
     PRIMARY KEY (period, dimension)
   ) STRICT, WITHOUT ROWID;`,
     )
     .join('\n')}
   INSERT INTO usage_dimensions (key_id, owner, plan, model, vendor, status, simulated)
     SELECT DISTINCT key_id, '', '', model, vendor, status, simulated FROM receipts;
   ${[
     ['hours', 'started_ms / 3600000'],
     ['days', 'started_ms / 86400000'],
     [
       'months',
       `CAST(strftime('%Y', started_ms / 1000, 'unixepoch') AS INTEGER) * 12 +
        CAST(strftime('%m', started_ms / 1000, 'unixepoch') AS INTEGER) - 1`,
     ],
   ]
     .map(
       ([periods, period]) => `INSERT INTO usage_${periods}
     SELECT ${period}, dimension.id, COUNT(*), COUNT(failure), SUM(input), SUM(output), SUM(cache_read),
       SUM(cache_write_5m + cache_write_1h), SUM(thinking), COALESCE(SUM(nano_dollars), 0), COUNT(*) - COUNT(nano_dollars)
     FROM receipts JOIN usage_dimensions AS dimension USING (key_id, model, vendor, status, simulated) GROUP BY 1, 2;`,
     )
     .join('\n')}

   CREATE TABLE captures (
     receipt_id TEXT PRIMARY KEY,
     key_id TEXT NOT NULL,
     expires_ms INTEGER NOT NULL,
     request BLOB NOT NULL,
     reply BLOB NOT NULL
   ) STRICT;
   CREATE INDEX captures_by_end ON captures (expires_ms);

   CREATE TABLE thresholds (
     subject TEXT NOT NULL,
     limit_name TEXT NOT NULL,
     percent INTEGER NOT NULL,
     period INTEGER NOT NULL,
     told_ms INTEGER NOT NULL,
     PRIMARY KEY (subject, limit_name, percent)
   ) STRICT, WITHOUT ROWID;`,
]
