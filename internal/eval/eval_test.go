package eval

import (
	"context"
	"errors"
	"testing"

	"errand/internal/price"

	"github.com/stretchr/testify/require"
)

// fakeTarget is a Target with a fixed reply. A nil after leaves the tasks as they are.
type fakeTarget struct {
	reply        Reply
	err          error
	zone         string
	tasks, after []State
}

func (p *fakeTarget) SetTimeZone(_ context.Context, zone string) error {
	p.zone = zone
	return nil
}

func (p *fakeTarget) CreateTask(_ context.Context, t State) error {
	t.Number = len(p.tasks) + 1
	p.tasks = append(p.tasks, t)
	return p.err
}

func (p *fakeTarget) SendMessage(context.Context, string) (Reply, error) {
	if p.after != nil {
		p.tasks = p.after
	}
	return p.reply, p.err
}

func (p *fakeTarget) ListTasks(context.Context) ([]State, error) { return p.tasks, nil }

func TestRun_Conversation_SumsUsage(t *testing.T) {
	c := Case{
		Kind: "k",
		Have: []Task{{Title: "a", Due: words{"+1 09:00"}, Labels: &[]string{"l"}}},
		Say:  []string{"x", "y"},
		Zone: "Asia/Tokyo",
		Want: Want{Same: true, Says: []string{"^fine$"}},
	}
	cost := int64(7)
	reply := Reply{
		Text:  "Fine",
		Usage: Usage{Steps: 2, Tokens: price.Tokens{Input: 9, Output: 1, Cached: 4}, CostNanos: &cost},
	}
	target := &fakeTarget{reply: reply}
	r, err := Run(t.Context(), c, target)
	require.NoError(t, err)
	require.Equal(t, Right, r.Outcome, r.Reason)
	require.Equal(t, "Asia/Tokyo", target.zone)
	require.Equal(t, 9, target.tasks[0].DueAt.In(mustLocation(t, "Asia/Tokyo")).Hour())
	require.Equal(t, []string{"Fine", "Fine"}, r.Replies)
	require.Equal(t, price.Tokens{Input: 18, Output: 2, Cached: 8}, r.Usage.Tokens)
	require.Equal(t, []int64{4, 14}, []int64{int64(r.Usage.Steps), *r.Usage.CostNanos})

	r, err = Run(t.Context(), c, &fakeTarget{reply: reply, after: []State{}})
	require.NoError(t, err)
	require.Equal(t, Wrong, r.Outcome)
	require.True(t, r.Deletes)
	_, err = Run(t.Context(), c, &fakeTarget{err: errors.New("away")})
	require.Error(t, err)
	c.Zone = "Nowhere/Else"
	_, err = Run(t.Context(), c, target)
	require.Error(t, err)
}
