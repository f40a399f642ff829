package task

import "context"

// FindTaskAmong is FindTaskByReference with another bound on the titles that are compared.
func (o operations) FindTaskAmong(ctx context.Context, text string, scope Scope, titles int) (*Match, error) {
	return o.findTaskAmong(ctx, text, scope, titles)
}

// RankedCertain returns the only task that words name, by a comparison of all titles and by the search index.
func (o operations) RankedCertain(ctx context.Context, text string) (all, indexed string, err error) {
	r, err := parseReference(text)
	if err != nil {
		return "", "", err
	}
	found, err := o.rankAllTitles(ctx, r, Scope{}, maxTitlesRead)
	if err != nil {
		return "", "", err
	}
	byIndex, ok, err := o.rankIndexed(ctx, r, Scope{})
	if err != nil || !ok {
		return found.certain(), found.certain(), err
	}
	return found.certain(), byIndex.certain(), nil
}
