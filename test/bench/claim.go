package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// claimTime is how long a server claims runs of the burst.
const claimTime = 5 * time.Second

// measureClaim measures the claims of a server while other runs are in progress elsewhere and a burst of runs waits.
// The statistics are older than both. PostgreSQL logs the times.
func measureClaim(ctx context.Context, b *bench, out io.Writer) error {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	if err := execute(ctx, conn, seedTurns(b.size, 1, b.size.running, askHang)); err != nil {
		return err
	}
	if _, err := b.startErrand(ctx, append(hs256(), fmt.Sprintf("RUN_CONCURRENCY=%d", b.size.running))...); err != nil {
		return err
	}
	if err := awaitRunning(ctx, conn, b.size.running); err != nil {
		return err
	}
	queued := seedTurns(b.size, b.size.running+1, b.size.running+b.size.queued, askQuick)
	if err := execute(ctx, conn, queued); err != nil {
		return err
	}
	done := `SELECT COUNT(*) FROM runs WHERE state = 'DONE'`
	var before, after int
	if err := conn.QueryRow(ctx, done).Scan(&before); err != nil {
		return err
	}
	log, err := b.logged(ctx, "log_min_duration_statement = 0", func() error {
		if _, err := b.startErrand(ctx, hs256()...); err != nil {
			return err
		}
		<-time.After(claimTime)
		return nil
	})
	if err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, done).Scan(&after); err != nil {
		return err
	}
	claims := claimTimes(log)
	t := newTable(
		fmt.Sprintf("Claims with %d queued and %d running runs, in the first %v", b.size.queued, b.size.running, claimTime),
		"claims", "p50 ms", "slowest ms", "replies finished",
	)
	t.add(len(claims), ms(quantile(claims, .5)), ms(quantile(claims, 1)), after-before)
	return t.write(out)
}

// seedTurns adds the unfinished turns from..to, each in another conversation as long as there are some, with the given
// message of the user. Turns of one conversation follow one another.
func seedTurns(s size, from, to int, content string) []string {
	total := s.users * s.conversations
	turns := fmt.Sprintf(
		`(SELECT n, (n - 1) %% %[1]d / %[2]d + 1 AS u, (n - 1) %% %[2]d + 1 AS c, %[3]d + (n - 1) / %[1]d * 2 AS last
		FROM generate_series(%[4]d, %[5]d) n) t`,
		total,
		s.conversations,
		s.messages,
		from,
		to,
	)
	owner, conversation := fmt.Sprintf(userID, "u"), fmt.Sprintf(conversationID, "u * 100000 + c")
	id := `lpad((90000000000000 + n * 2 + p)::text, 26, '0')`
	return []string{
		fmt.Sprintf(`INSERT INTO messages (id, user_id, created_at, updated_at, conversation_id, position, role, content,
				status)
			SELECT 'msg_' || %s, %s, now(), now(), %s, last + 1 + p, CASE p WHEN 0 THEN 'USER' ELSE 'ASSISTANT' END,
				CASE p WHEN 0 THEN '%s' ELSE '' END, CASE p WHEN 0 THEN 'COMPLETED' ELSE 'PENDING' END
			FROM %s, generate_series(0, 1) p`, id, owner, conversation, content, turns),
		fmt.Sprintf(`INSERT INTO runs (id, user_id, conversation_id, message_id, position, state, created_at)
			SELECT 'run_' || %s, %s, %s, 'msg_' || %s, last + 2, 'QUEUED', 1790000000000
			FROM %s, generate_series(1, 1) p`, id, owner, conversation, id, turns),
		fmt.Sprintf(`UPDATE conversations SET message_count = message_count + 2
			FROM (SELECT %s AS id FROM %s) x WHERE conversations.id = x.id`, conversation, turns),
	}
}

// awaitRunning waits until the number of runs are in progress.
func awaitRunning(ctx context.Context, conn *pgx.Conn, n int) error {
	for {
		var running int
		if err := conn.QueryRow(ctx, `SELECT COUNT(*) FROM runs WHERE state = 'RUNNING'`).Scan(&running); err != nil {
			return err
		}
		if running >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var loggedDuration = regexp.MustCompile(`LOG:  duration: ([0-9.]+) ms  (parse|bind|execute) `)

// claimTimes returns the times of the claims in a log, each with the planning before it, in ascending order.
func claimTimes(log []string) (claims []time.Duration) {
	var planning time.Duration
	for _, entry := range log {
		match := loggedDuration.FindStringSubmatch(entry)
		if match == nil || !strings.Contains(entry, "SKIP LOCKED") || !strings.Contains(entry, "UPDATE runs") {
			continue
		}
		milliseconds, _ := strconv.ParseFloat(match[1], 64)
		planning += time.Duration(milliseconds * float64(time.Millisecond))
		if match[2] == "execute" {
			claims, planning = append(claims, planning), 0
		}
	}
	slices.Sort(claims)
	return claims
}
