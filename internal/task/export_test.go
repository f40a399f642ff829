package task

import "context"

// FindTaskAmong is FindTaskByReference with another bound on the titles that are compared.
func (o operations) FindTaskAmong(ctx context.Context, text string, scope Scope, titles int) (*Match, error) {
	return o.findTaskAmong(ctx, text, scope, titles)
}
