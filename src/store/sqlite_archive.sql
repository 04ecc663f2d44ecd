-- The tables of a paperless-ngx 3.0 database that documents and their labels live in, with their indexes.
-- Left out: the owners (auth_user), and every table that plays no part in filing.

CREATE TABLE documents_correspondent (
    id                 integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    name               varchar(128) NOT NULL,
    match              varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    owner_id           integer NULL,
    matching_algorithm smallint unsigned NOT NULL CHECK (matching_algorithm >= 0),
    CONSTRAINT documents_correspondent_unique_name_owner UNIQUE (name, owner_id)
);
CREATE UNIQUE INDEX documents_correspondent_name_uniq ON documents_correspondent (name) WHERE owner_id IS NULL;
CREATE INDEX documents_correspondent_owner_id ON documents_correspondent (owner_id);

CREATE TABLE documents_documenttype (
    id                 integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    name               varchar(128) NOT NULL,
    match              varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    owner_id           integer NULL,
    matching_algorithm smallint unsigned NOT NULL CHECK (matching_algorithm >= 0),
    CONSTRAINT documents_documenttype_unique_name_owner UNIQUE (name, owner_id)
);
CREATE UNIQUE INDEX documents_documenttype_name_uniq ON documents_documenttype (name) WHERE owner_id IS NULL;
CREATE INDEX documents_documenttype_owner_id ON documents_documenttype (owner_id);

CREATE TABLE documents_storagepath (
    id                 integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    name               varchar(128) NOT NULL,
    match              varchar(256) NOT NULL DEFAULT '',
    is_insensitive     bool NOT NULL DEFAULT 1,
    path               text NOT NULL DEFAULT '',
    owner_id           integer NULL,
    matching_algorithm smallint unsigned NOT NULL CHECK (matching_algorithm >= 0),
    CONSTRAINT documents_storagepath_unique_name_owner UNIQUE (name, owner_id)
);
CREATE UNIQUE INDEX documents_storagepath_name_uniq ON documents_storagepath (name) WHERE owner_id IS NULL;
CREATE INDEX documents_storagepath_owner_id ON documents_storagepath (owner_id);

-- The columns tn_* are the tree that tags can be nested in; a tag of its own has these values.
CREATE TABLE documents_tag (
    id                   integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    tn_ancestors_pks     text NOT NULL DEFAULT '',
    tn_ancestors_count   integer unsigned NOT NULL DEFAULT 0,
    tn_children_pks      text NOT NULL DEFAULT '',
    tn_children_count    integer unsigned NOT NULL DEFAULT 0,
    tn_depth             integer unsigned NOT NULL DEFAULT 0,
    tn_descendants_pks   text NOT NULL DEFAULT '',
    tn_descendants_count integer unsigned NOT NULL DEFAULT 0,
    tn_index             integer unsigned NOT NULL DEFAULT 0,
    tn_level             integer unsigned NOT NULL DEFAULT 1,
    tn_priority          integer unsigned NOT NULL DEFAULT 0,
    tn_order             integer unsigned NOT NULL DEFAULT 0,
    tn_siblings_pks      text NOT NULL DEFAULT '',
    tn_siblings_count    integer unsigned NOT NULL DEFAULT 0,
    name                 varchar(128) NOT NULL,
    match                varchar(256) NOT NULL DEFAULT '',
    is_insensitive       bool NOT NULL DEFAULT 1,
    color                varchar(7) NOT NULL DEFAULT '#a6cee3',
    is_inbox_tag         bool NOT NULL,
    owner_id             integer NULL,
    matching_algorithm   smallint unsigned NOT NULL CHECK (matching_algorithm >= 0),
    tn_parent_id         integer NULL REFERENCES documents_tag (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT documents_tag_unique_name_owner UNIQUE (name, owner_id)
);
CREATE UNIQUE INDEX documents_tag_name_uniq ON documents_tag (name) WHERE owner_id IS NULL;
CREATE INDEX documents_tag_owner_id ON documents_tag (owner_id);
CREATE INDEX documents_tag_tn_parent_id ON documents_tag (tn_parent_id);

CREATE TABLE documents_document (
    id                    integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    deleted_at            datetime NULL,
    restored_at           datetime NULL,
    transaction_id        char(32) NULL,
    title                 varchar(128) NOT NULL,
    content               text NOT NULL,
    mime_type             varchar(256) NOT NULL,
    checksum              varchar(64) NOT NULL,
    archive_checksum      varchar(64) NULL,
    created               date NOT NULL,
    modified              datetime NOT NULL,
    added                 datetime NOT NULL,
    filename              varchar(1024) NULL UNIQUE,
    archive_filename      varchar(1024) NULL UNIQUE,
    original_filename     varchar(1024) NULL,
    archive_serial_number integer unsigned NULL UNIQUE CHECK (archive_serial_number >= 0),
    correspondent_id      integer NULL REFERENCES documents_correspondent (id) DEFERRABLE INITIALLY DEFERRED,
    document_type_id      integer NULL REFERENCES documents_documenttype (id) DEFERRABLE INITIALLY DEFERRED,
    storage_path_id       integer NULL REFERENCES documents_storagepath (id) DEFERRABLE INITIALLY DEFERRED,
    owner_id              integer NULL,
    -- Computed by the database: inserting into it is an error.
    content_length        integer unsigned GENERATED ALWAYS AS (LENGTH(content)) STORED,
    version_label         varchar(64) NULL,
    version_index         integer unsigned NULL CHECK (version_index >= 0),
    page_count            integer unsigned NULL CHECK (page_count >= 0),
    root_document_id      integer NULL REFERENCES documents_document (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX documents_document_root_version_index_uniq ON documents_document (root_document_id, version_index)
    WHERE root_document_id IS NOT NULL AND version_index IS NOT NULL;
CREATE INDEX documents_document_title ON documents_document (title);
CREATE INDEX documents_document_checksum ON documents_document (checksum);
CREATE INDEX documents_document_created ON documents_document (created);
CREATE INDEX documents_document_modified ON documents_document (modified);
CREATE INDEX documents_document_added ON documents_document (added);
CREATE INDEX documents_document_correspondent_id ON documents_document (correspondent_id);
CREATE INDEX documents_document_document_type_id ON documents_document (document_type_id);
CREATE INDEX documents_document_storage_path_id ON documents_document (storage_path_id);
CREATE INDEX documents_document_owner_id ON documents_document (owner_id);
CREATE INDEX documents_document_version_index ON documents_document (version_index);
CREATE INDEX documents_document_page_count ON documents_document (page_count);
CREATE INDEX documents_document_root_document_id ON documents_document (root_document_id);
CREATE INDEX documents_document_owner_created ON documents_document (owner_id, created);

CREATE TABLE documents_document_tags (
    id          integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    document_id integer NOT NULL REFERENCES documents_document (id) DEFERRABLE INITIALLY DEFERRED,
    tag_id      integer NOT NULL REFERENCES documents_tag (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX documents_document_tags_document_id_tag_id_uniq ON documents_document_tags (document_id, tag_id);
CREATE INDEX documents_document_tags_document_id ON documents_document_tags (document_id);
CREATE INDEX documents_document_tags_tag_id ON documents_document_tags (tag_id);
