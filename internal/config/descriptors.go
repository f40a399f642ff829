package config

import (
	"cmp"
	"runtime"
)

const (
	// MaxAdminConnections is the maximum number of connections of the admin listener.
	MaxAdminConnections = 32
	// otherDescriptors are reserved for the admin listener, key sets, the bus, logs and files.
	otherDescriptors = 32 + MaxAdminConnections
	// descriptorsPerFileConn is the number of files of an SQLite connection: the database, its log and its index.
	descriptorsPerFileConn = 3
)

// ReservedDescriptors returns the number of file descriptors that are not for connections of clients.
func (c Config) ReservedDescriptors() int {
	database := (1 + max(4, runtime.NumCPU())) * descriptorsPerFileConn
	if _, sqlite := c.Database.URL.SQLitePath(); !sqlite {
		database = cmp.Or(c.Database.MaxConns, 4*runtime.NumCPU()) + 8 // and those of the bus and of locks
	}
	return otherDescriptors + database + c.Runs.Concurrency
}
