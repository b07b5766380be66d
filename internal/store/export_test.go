package store

import "github.com/pressly/goose/v3"

// Migrator gives tests the migrations.
func (s *Store) Migrator() (*goose.Provider, error) { return s.migrator() }
