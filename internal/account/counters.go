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

// counterPage is the number of users that CheckCounters reads at once.
const counterPage = 200

// CheckCounters compares the counters of at most limit users, newest first, with the users' rows, and with repair
// corrects them. It reads each user's rows as that user.
func CheckCounters(ctx context.Context, db *store.DB, limit int, repair bool) (r CounterReport, err error) {
	before := ""
	for r.Checked < limit {
		q := db.Client().User.Query().Order(user.ByID(sql.OrderDesc())).Limit(min(counterPage, limit-r.Checked))
		if before != "" {
			q.Where(user.IDLT(before))
		}
		ids, err := q.IDs(rule.System(ctx))
		if err != nil {
			return r, fmt.Errorf("reading users: %w", err)
		}
		if len(ids) == 0 {
			return r, nil
		}
		for _, id := range ids {
			exact, err := checkCounters(viewer.NewContext(ctx, viewer.Viewer{UserID: id}), db, id, repair)
			if err != nil {
				return r, err
			}
			r.Checked++
			if !exact {
				r.Wrong = append(r.Wrong, id)
			}
		}
		before = ids[len(ids)-1]
	}
	return r, nil
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
