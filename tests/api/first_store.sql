-- A store as the first version made it, with one of each.
    CREATE TABLE api_key (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        secret     TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE gateway (
        sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
        id               TEXT NOT NULL UNIQUE,
        direction        TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
        name             TEXT NOT NULL,
        media_encryption TEXT NOT NULL,
        region           TEXT NOT NULL,
        address          TEXT,
        transport        TEXT,
        username         TEXT,
        password         TEXT,
        created_at       TEXT NOT NULL,
        updated_at       TEXT NOT NULL,
        CHECK ((username IS NULL) = (password IS NULL)),
        CHECK ((direction = 'outbound') = (address IS NOT NULL)),
        CHECK ((direction = 'outbound') = (transport IS NOT NULL)),
        CHECK (direction = 'outbound' OR username IS NULL)
    ) STRICT;

    CREATE TABLE number (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        e164       TEXT NOT NULL UNIQUE,
        name       TEXT NOT NULL,
        inbound    TEXT REFERENCES gateway (id),
        outbound   TEXT REFERENCES gateway (id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX number_inbound ON number (inbound);
    CREATE INDEX number_outbound ON number (outbound);

    CREATE TABLE rule (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        direction  TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
        name       TEXT NOT NULL,
        body       TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE rule_number (
        rule      TEXT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
        e164      TEXT NOT NULL REFERENCES number (e164) ON DELETE CASCADE,
        direction TEXT NOT NULL,
        position  INTEGER NOT NULL,
        PRIMARY KEY (rule, e164)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX rule_number_e164 ON rule_number (e164);
    -- A number is on one inbound rule at most (contract section 4.1): the requests check it with a better
    -- sentence, this makes sure.
    CREATE UNIQUE INDEX rule_number_inbound ON rule_number (e164) WHERE direction = 'inbound';

INSERT INTO api_key (id, secret, created_at) VALUES ('ak_before', 'secretsecretsecret', '2026-01-02T03:04:05.000Z');
INSERT INTO gateway (id, direction, name, media_encryption, region, address, transport, username, password, created_at, updated_at)
VALUES ('gw-in', 'inbound', 'n', 'disable', 'auto', NULL, NULL, NULL, NULL, '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z'),
       ('gw-out', 'outbound', 'n', 'disable', 'auto', 'a', 'tls', 'u', 'hunter2hunter2', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z');
INSERT INTO number (id, e164, name, inbound, outbound, created_at, updated_at)
VALUES ('pn_before', '+15550100001', 'n', 'gw-in', 'gw-out', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z');
INSERT INTO rule (id, direction, name, body, created_at, updated_at)
VALUES ('rr_before', 'inbound', 'n', '{"id":"rr_before","type":"inbound","name":"n","room":{"type":"static","id":"r","pin":"4711471147114711"}}', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z');
INSERT INTO rule_number (rule, e164, direction, position) VALUES ('rr_before', '+15550100001', 'inbound', 0);
PRAGMA application_id = 0x73747277;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
