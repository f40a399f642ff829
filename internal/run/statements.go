package run

import (
	"strings"

	"entgo.io/ent/dialect"
)

// statements are the engine's own SQL. They go past the entities' policies because
// moving runs along is nobody's in particular; what a run's owner does goes through Ent.
type statements struct {
	clock, claim, renew, doomed, bury, fence, finish, requeue, cancel string
}

// The parts in which the engines differ, and the conditions that several statements share.
var (
	sqliteWords = strings.NewReplacer(
		"{now}", "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
		"{skip locked}", "",
	)
	// clock_timestamp, not now: time must pass within a transaction that waited for a lock.
	postgresWords = strings.NewReplacer(
		"{now}", "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
		"{skip locked}", "FOR UPDATE OF r SKIP LOCKED",
	)
	conditions = strings.NewReplacer(
		"{claimable}", `NOT r.cancel_requested AND (
			(r.state = 'QUEUED' AND r.available_at <= clock.now AND r.failures < $1)
			OR (r.state = 'RUNNING' AND r.lease_until < clock.now AND r.failures + 1 < $1))`,
		"{doomed}", `(
			(state = 'QUEUED' AND (cancel_requested OR failures >= $1))
			OR (state = 'RUNNING' AND lease_until < {now} AND (cancel_requested OR failures + 1 >= $1)))`,
	)
)

// owned is the fence's condition: the attempt $2 still holds the run $1. Without the fence, the run is there.
const (
	owned    = `id = $1 AND attempt = $2 AND state = 'RUNNING'`
	existing = `id = $1 AND CAST($2 AS BIGINT) > 0`
)

func newStatements(engine string, unfenced bool) statements {
	words := sqliteWords
	if engine == dialect.Postgres {
		words = postgresWords
	}
	fence := owned
	if unfenced {
		fence = existing
	}
	in := func(text string) string {
		return words.Replace(conditions.Replace(strings.ReplaceAll(text, "{owned}", fence)))
	}
	return statements{
		clock: in(`SELECT {now}`), claim: in(claimSQL), renew: in(renewSQL),
		doomed: in(doomedSQL), bury: in(burySQL),
		fence: in(fenceSQL), finish: in(finishSQL), requeue: in(requeueSQL), cancel: in(cancelSQL),
	}
}
