package store

import "fmt"

// ByID returns the rows of a query by id. It takes the query's results directly:
//
//	store.ByID(client.Task.Query().Where(task.IDIn(ids...)).All(ctx))
//
// Ids without a row have no entry. An error is wrapped with the type of the rows.
func ByID[T interface{ NodeID() string }](rows []T, err error) (map[string]T, error) {
	if err != nil {
		var row T
		return nil, fmt.Errorf("reading %T rows by id: %w", row, err)
	}
	byID := make(map[string]T, len(rows))
	for _, row := range rows {
		byID[row.NodeID()] = row
	}
	return byID, nil
}
