package store

import "time"

// PoolStats is the state of the connection pools, SQLite's two added together.
type PoolStats struct {
	// Open, InUse and Idle count connections now; Max is the bound of Open.
	Open  int `json:"open"`
	InUse int `json:"in_use"`
	Idle  int `json:"idle"`
	Max   int `json:"max"`
	// WaitCount and WaitMS say how often and how long in all, in milliseconds,
	// callers waited for a connection since start.
	WaitCount int64 `json:"wait_count"`
	WaitMS    int64 `json:"wait_ms"`
}

// PoolStats reports the pools' state.
func (db *DB) PoolStats() PoolStats {
	var p PoolStats
	var waited time.Duration
	for _, pool := range db.pools {
		s := pool.Stats()
		p.Open += s.OpenConnections
		p.InUse += s.InUse
		p.Idle += s.Idle
		p.Max += s.MaxOpenConnections
		p.WaitCount += s.WaitCount
		waited += s.WaitDuration
	}
	p.WaitMS = waited.Milliseconds()
	return p
}
