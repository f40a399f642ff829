package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"errand/ent"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Bounds of what the plan of a search reads.
const (
	// maxRareHits is the maximum number of entries that are counted for a term. The rows of a term with fewer are read
	// one by one; a term with more is looked up for each row in the order of the list, until the page is full.
	// maxCountedHits is the maximum for all terms of a search together.
	maxRareHits    = 2_000
	maxCountedHits = 20_000
	// sampledRows is the number of newest rows that are compared with frequent conditions. If one in sampledShare meets
	// all of them, looking them up for each row soon fills a page. Otherwise the entries of at most maxIntersected
	// conditions are intersected, which reads all of them; the other conditions are looked up for each row found.
	sampledRows    = 400
	sampledShare   = 100
	maxIntersected = 3
)

// TermSearch is the plan of a search for the rows that meet all conditions. It is chosen to read few entries whatever
// PostgreSQL's statistics are: these describe all users, and their estimates of the rows per user and term can be wrong
// by orders of magnitude.
type TermSearch struct {
	index  TermIndex
	userID string
	// matches are the conditions, the one with the fewest entries first.
	matches []TermMatch
	kind    searchKind
	// sampled is how many of sampledRows meet all conditions.
	sampled int
	// Stale means that the index may lack rows of the user.
	Stale bool
}

// searchKind is how a search finds rows.
type searchKind int

const (
	findNone       searchKind = iota // a condition has no entry
	findEach                         // reads the rows of the first condition, and looks up the others for each
	findOrdered                      // looks up all conditions for each row, in the order of the list
	findCommon                       // intersects the entries of all conditions
	findEverything                   // no condition
)

// None reports whether no row of the index meets the conditions.
func (p *TermSearch) None() bool { return p.kind == findNone }

// Plan counts the entries of the conditions and returns the plan. It takes one query, or two if all conditions are
// frequent. rows adds the other conditions on the rows for which an index exists; it may be nil.
func (x TermIndex) Plan(
	ctx context.Context, q *ent.Client, userID string, matches []TermMatch, rows func(*sql.Selector),
) (*TermSearch, error) {
	p := &TermSearch{index: x, userID: userID, kind: findEverything}
	limit := min(maxRareHits, maxCountedHits/max(1, len(matches))) + 1
	columns := make([]*sql.Selector, 0, len(matches))
	for _, m := range matches {
		columns = append(columns, x.entries(q.Dialect(), userID, m).Limit(limit))
	}
	hits, stale, err := x.count(ctx, q, userID, columns)
	p.Stale = stale
	if err != nil || len(matches) == 0 {
		return p, err
	}
	order := make([]int, len(matches))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(hits[a], hits[b]) })
	for _, i := range order {
		p.matches = append(p.matches, matches[i])
	}
	switch rarest := hits[order[0]]; {
	case rarest == 0:
		p.kind = findNone
	case rarest < limit:
		p.kind = findEach
	default:
		err = p.sample(ctx, q, rows)
	}
	return p, err
}

// sample sets the kind of a search with frequent conditions only: it compares the newest rows with them.
func (p *TermSearch) sample(ctx context.Context, q *ent.Client, rows func(*sql.Selector)) error {
	newest := sql.Dialect(q.Dialect()).Select().From(sql.Table(p.index.rows))
	newest.Select(newest.C(p.index.rowKey)).Where(sql.EQ(newest.C("user_id"), p.userID)).
		OrderBy(sql.Desc(newest.C(p.index.rowKey))).Limit(sampledRows)
	if rows != nil {
		rows(newest)
	}
	newest.As("sampled")
	s := sql.Dialect(q.Dialect()).Select().From(newest)
	s.Select(newest.C(p.index.rowKey))
	for _, m := range p.matches {
		s.Where(p.lookUp(s, newest.C(p.index.rowKey), m))
	}
	hits, _, err := p.index.count(ctx, q, p.userID, []*sql.Selector{s})
	if err != nil {
		return err
	}
	p.kind, p.sampled = findCommon, hits[0]
	if hits[0]*sampledShare >= sampledRows {
		p.kind = findOrdered
	}
	return nil
}

// Counting returns the plan for a query that counts the rows instead of reading a page. It intersects the conditions
// unless every second row meets them.
func (p *TermSearch) Counting() *TermSearch {
	c := *p
	if c.kind == findOrdered && 2*c.sampled < sampledRows {
		c.kind = findCommon
	}
	return &c
}

// count returns the number of rows of each query, and whether the index is stale.
func (x TermIndex) count(
	ctx context.Context, q *ent.Client, userID string, queries []*sql.Selector,
) (counts []int, stale bool, err error) {
	b := &sql.Builder{}
	b.SetDialect(q.Dialect())
	b.WriteString("SELECT (SELECT COUNT(*) FROM (")
	if x.stale == "" {
		b.WriteString("SELECT 1 WHERE 1 = 0")
	} else {
		before, after, _ := strings.Cut(x.stale, "$1")
		b.WriteString(before).Arg(userID).WriteString(after)
	}
	b.WriteString(") s)")
	for i, query := range queries {
		b.WriteString(", (SELECT COUNT(*) FROM (").Join(query).WriteString(fmt.Sprintf(") s%d)", i))
	}
	text, args := b.Query()
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, false, fmt.Errorf("reading the search index: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, false, fmt.Errorf("reading the search index: no row: %w", rows.Err())
	}
	counts = make([]int, len(queries)+1)
	dst := make([]any, len(counts))
	for i := range counts {
		dst[i] = &counts[i]
	}
	if err := rows.Scan(dst...); err != nil {
		return nil, false, fmt.Errorf("reading the search index: %w", err)
	}
	return counts[1:], counts[0] > 0, rows.Err()
}

// Matches is true for rows that meet all conditions of the search. column is the key of the rows.
func (p *TermSearch) Matches(s *sql.Selector, column string) *sql.Predicate {
	var all []*sql.Predicate
	switch p.kind {
	case findEverything:
		return sql.Not(sql.False())
	case findNone:
		return sql.False()
	case findEach:
		all = append(all, among(s, column, p.index.entries(s.Dialect(), p.userID, p.matches[0])))
		for _, m := range p.matches[1:] {
			all = append(all, p.lookUp(s, s.C(column), m))
		}
	case findOrdered:
		for _, m := range p.matches {
			all = append(all, p.lookUp(s, s.C(column), m))
		}
	case findCommon:
		common := p.index.entries(s.Dialect(), p.userID, p.matches[0])
		for i, m := range p.matches[1:] {
			if i+1 < maxIntersected {
				common.Intersect(p.index.entries(s.Dialect(), p.userID, m))
			} else {
				all = append(all, p.lookUp(s, s.C(column), m))
			}
		}
		all = append(all, among(s, column, common))
	}
	return sql.And(all...)
}

// among is true for rows whose key a query returns. PostgreSQL runs the query once and looks the keys up in the rows'
// index; a join would depend on its estimates.
func among(s *sql.Selector, column string, keys *sql.Selector) *sql.Predicate {
	if s.Dialect() == dialect.SQLite {
		return sql.In(s.C(column), keys)
	}
	return sql.P(func(b *sql.Builder) {
		b.Ident(s.C(column)).WriteString(" = ANY (ARRAY(").Join(keys).WriteString("))")
	})
}

// lookUp is true for rows that meet a condition. OFFSET 0 keeps PostgreSQL from reading all entries of the condition
// instead.
func (p *TermSearch) lookUp(s *sql.Selector, column string, m TermMatch) *sql.Predicate {
	entries := p.index.entries(s.Dialect(), p.userID, m)
	entries.Where(sql.ColumnsEQ(entries.C(p.index.key), column))
	if s.Dialect() == dialect.Postgres {
		entries.Offset(0)
	}
	return sql.Exists(entries)
}

// Newest is true for rows that have one of the newest entries of a condition: at most limit of each. Entries for the
// beginning of a term are those of the last terms.
func (x TermIndex) Newest(s *sql.Selector, column, userID string, matches []TermMatch, limit int) *sql.Predicate {
	var all *sql.Selector
	for i, m := range matches {
		entries := x.entries(s.Dialect(), userID, m)
		entries.OrderBy(sql.Desc(entries.C("term")), sql.Desc(entries.C(x.key))).Limit(max(1, limit)).
			As(fmt.Sprintf("newest_%d", i))
		one := sql.Dialect(s.Dialect()).Select().From(entries)
		one.Select(entries.C(x.key))
		if all == nil {
			all = one
		} else {
			all.UnionAll(one)
		}
	}
	if all == nil {
		return sql.False()
	}
	return among(s, column, all)
}

// Beginning returns the user's different terms that begin with a text, in their order, at most limit. It reads one
// entry of each.
func (x TermIndex) Beginning(ctx context.Context, q *ent.Client, userID, text string, limit int) ([]string, error) {
	from, below := termRange(text)
	rows, err := q.QueryContext(ctx, x.sql(`WITH RECURSIVE found(term) AS (
		SELECT * FROM (SELECT term FROM {table} WHERE user_id = $1 AND term >= $2 AND term < $3 ORDER BY term LIMIT 1) f
		UNION ALL
		SELECT (SELECT t.term FROM {table} t WHERE t.user_id = $1 AND t.term > found.term AND t.term < $3
			ORDER BY t.term LIMIT 1) FROM found WHERE found.term IS NOT NULL
		) SELECT term FROM found WHERE term IS NOT NULL LIMIT $4`), userID, from, below, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the search index: %w", err)
	}
	defer rows.Close()
	var terms []string
	for rows.Next() {
		var term []byte
		if err := rows.Scan(&term); err != nil {
			return nil, fmt.Errorf("reading the search index: %w", err)
		}
		terms = append(terms, string(term))
	}
	return terms, rows.Err()
}
