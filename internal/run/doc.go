// Package run is the durable run engine: it makes sure that every reply that
// was promised gets written, once, in order, whatever dies in between.
//
//	           claim (attempt+1)                Finish
//	QUEUED ───────────────────────▶ RUNNING ─────────────▶ DONE, FAILED, CANCELLED
//	  │ ▲                            │ │ ▲                        ▲
//	  │ └── failure, hand-over ──────┘ └─┘ lease expired: claim   │
//	  └── Cancel ─────────────────────────────────────────────────┘
//
// A run is one row. A replica claims it under a lease and renews the lease while
// it works; a run whose lease expired is claimed by whoever comes first. Every
// claim increases attempt, which is the fencing token: an effect commits only in a
// transaction that first finds the run RUNNING with the same attempt (Do, Finish),
// so a replica that lost its lease without noticing can write nothing.
//
// Among the runs of one conversation only the earliest unfinished one can be
// claimed. All times are the database's, in milliseconds; a replica's own clock
// only measures how long ago it last heard from the database.
package run
