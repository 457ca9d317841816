-- Schema 3: events of the kind `rebuttal`. No table changes; a program that does not know the kind must not read on.
PRAGMA user_version = 3;
