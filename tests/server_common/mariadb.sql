-- The tables of paperless-ngx 3.0 that documents and their labels live in, with the types that its migrations give
-- them on MariaDB, and the indexes that matter here. Left out: the owners, and columns that play no part in filing.

CREATE TABLE documents_correspondent (
    id                 integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    name               varchar(128) NOT NULL,
    `match`            varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    owner_id           integer NULL,
    matching_algorithm integer UNSIGNED NOT NULL CHECK (matching_algorithm >= 0)
);

CREATE TABLE documents_documenttype (
    id                 integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    name               varchar(128) NOT NULL,
    `match`            varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    owner_id           integer NULL,
    matching_algorithm smallint UNSIGNED NOT NULL CHECK (matching_algorithm >= 0)
);

CREATE TABLE documents_storagepath (
    id                 integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    name               varchar(128) NOT NULL,
    `match`            varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    path               longtext NOT NULL DEFAULT '',
    owner_id           integer NULL,
    matching_algorithm smallint UNSIGNED NOT NULL CHECK (matching_algorithm >= 0)
);

CREATE TABLE documents_tag (
    id                 integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    name               varchar(128) NOT NULL,
    `match`            varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    color              varchar(7) NOT NULL DEFAULT '#a6cee3',
    is_inbox_tag       bool NOT NULL,
    owner_id           integer NULL,
    matching_algorithm smallint UNSIGNED NOT NULL CHECK (matching_algorithm >= 0)
);

CREATE TABLE documents_document (
    id                    integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    deleted_at            datetime(6) NULL,
    restored_at           datetime(6) NULL,
    transaction_id        char(32) NULL,
    title                 varchar(128) NOT NULL DEFAULT '',
    content               longtext NOT NULL,
    mime_type             varchar(256) NOT NULL DEFAULT '',
    checksum              varchar(64) NOT NULL DEFAULT '',
    created               date NOT NULL DEFAULT '2026-01-01',
    modified              datetime(6) NOT NULL,
    added                 datetime(6) NOT NULL DEFAULT '2026-01-01 00:00:00',
    archive_serial_number integer UNSIGNED NULL UNIQUE,
    correspondent_id      integer NULL REFERENCES documents_correspondent (id),
    document_type_id      integer NULL REFERENCES documents_documenttype (id),
    storage_path_id       integer NULL REFERENCES documents_storagepath (id),
    owner_id              integer NULL,
    content_length        integer UNSIGNED GENERATED ALWAYS AS (CHAR_LENGTH(content)) STORED,
    root_document_id      integer NULL REFERENCES documents_document (id)
);

CREATE TABLE documents_document_tags (
    id          integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
    document_id integer NOT NULL REFERENCES documents_document (id),
    tag_id      integer NOT NULL REFERENCES documents_tag (id),
    CONSTRAINT documents_document_tags_document_id_tag_id_uniq UNIQUE (document_id, tag_id)
);
