"""The tables of the ledger."""

# Another version is refused: a ledger lives as long as its job, and a job finishes with the insula that began it.
VERSION = 1

TABLES = """
CREATE TABLE state (row TEXT NOT NULL);
CREATE TABLE inputs (
    number INTEGER PRIMARY KEY, uri TEXT NOT NULL, size INTEGER, stamp TEXT, name TEXT
);
-- Consecutive batches over one input: a row a batch would cost more than the batch does.
CREATE TABLE blocks (
    ordinal INTEGER PRIMARY KEY, sample INTEGER NOT NULL, batches INTEGER NOT NULL, count INTEGER NOT NULL,
    last INTEGER NOT NULL, input INTEGER NOT NULL, start INTEGER NOT NULL, stops BLOB NOT NULL, extents TEXT,
    line INTEGER NOT NULL
);
CREATE INDEX blocks_by_sample ON blocks (sample);
CREATE TABLE settled (
    sample INTEGER PRIMARY KEY, samples INTEGER NOT NULL, part TEXT NOT NULL, offset INTEGER NOT NULL,
    length INTEGER NOT NULL, each INTEGER NOT NULL, whole INTEGER NOT NULL, whole_samples INTEGER NOT NULL,
    stored INTEGER NOT NULL, dead INTEGER NOT NULL
);
-- Rows appear only when something failed.
CREATE TABLE pieces (
    ordinal INTEGER, skip INTEGER, take INTEGER, sample INTEGER NOT NULL, attempts INTEGER NOT NULL,
    interruptions INTEGER NOT NULL, crashes INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (ordinal, skip, take)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    sample INTEGER PRIMARY KEY, ordinal INTEGER NOT NULL, attempts INTEGER NOT NULL, error INTEGER NOT NULL
);
-- One row for each distinct text, however many samples share it.
CREATE TABLE errors (
    number INTEGER PRIMARY KEY, type TEXT NOT NULL, message TEXT NOT NULL, traceback TEXT NOT NULL,
    UNIQUE (type, message, traceback)
);
-- The processes of each epoch, so that a later coordinator can end those that outlived theirs.
CREATE TABLE workers (
    name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL
) WITHOUT ROWID;
"""
