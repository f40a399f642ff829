package account

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/rule"
	"errand/ent/user"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// CounterReport is the result of CheckCounters.
type CounterReport struct {
	// Checked is the number of users whose counters were compared.
	Checked int
	// Wrong are the IDs of the users whose counters differed.
	Wrong []string
}

// userPage is the number of users that EachUser reads at once.
const userPage = 200

// EachUser calls fn for at most limit users, newest first, with the user as the context's viewer, until fn returns an
// error.
func EachUser(
	ctx context.Context,
	client *ent.Client,
	limit int,
	fn func(ctx context.Context, userID string) error,
) error {
	for before := ""; limit > 0; {
		q := client.User.Query().Order(user.ByID(sql.OrderDesc())).Limit(min(userPage, limit))
		if before != "" {
			q.Where(user.IDLT(before))
		}
		ids, err := q.IDs(rule.System(ctx))
		if err != nil {
			return fmt.Errorf("reading users: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		for _, id := range ids {
			if err := fn(viewer.NewContext(ctx, viewer.Viewer{UserID: id}), id); err != nil {
				return err
			}
		}
		before = ids[len(ids)-1]
		limit -= len(ids)
	}
	return nil
}

// CheckCounters compares the counters of at most limit users, newest first, with the users' rows, and with repair
// corrects them. It reads each user's rows as that user.
func CheckCounters(ctx context.Context, db *store.DB, limit int, repair bool) (r CounterReport, err error) {
	err = EachUser(ctx, db.Client(), limit, func(ctx context.Context, id string) error {
		exact, err := checkCounters(ctx, db, id, repair)
		if err != nil {
			return err
		}
		r.Checked++
		if !exact {
			r.Wrong = append(r.Wrong, id)
		}
		return nil
	})
	return r, err
}

// checkCounters reports whether a user's counters equal the rows. Only a repair locks the user's row.
func checkCounters(ctx context.Context, db *store.DB, userID string, repair bool) (exact bool, err error) {
	err = store.WithSnapshot(ctx, db.Client(), func(tx *ent.Tx) error {
		exact, _, err = compareCounters(ctx, tx, db.SQL(), userID)
		return err
	})
	if err != nil || exact || !repair {
		return exact, err
	}
	return false, store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		if err := quota.Lock(ctx, tx, userID); err != nil {
			return err
		}
		_, measured, err := compareCounters(ctx, tx, db.SQL(), userID)
		if err != nil {
			return err
		}
		return quota.Repair(ctx, tx, userID, measured)
	})
}

func compareCounters(ctx context.Context, tx *ent.Tx, sql store.SQL, userID string) (bool, quota.Usage, error) {
	stored, found, err := quota.Stored(ctx, tx, userID)
	if err != nil || !found { // an account that was deleted meanwhile has no counters
		return true, stored, err
	}
	measured, err := quota.Measure(ctx, tx, sql, userID)
	return stored == measured, measured, err
}
