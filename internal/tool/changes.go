package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

const (
	changesArgsSchema = `{"type":"object","additionalProperties":false,"properties":{
		"from":` + daySchema + `,"description":"YYYY-MM-DD; today by default."},
		"limit":{"type":"integer","minimum":1,"maximum":100,"offer":"full"}}}`
	changesResultSchema = `{"type":"object","additionalProperties":false,"required":["changes"],"properties":{
		"changes":{"type":"array","items":{"type":"object","additionalProperties":false,
		"required":["id","at","kind","number","title","by"],"properties":{
		"id":{"type":"string"},"at":{"type":"string"},"kind":{"type":"string"},"number":{"type":"integer"},
		"title":{"type":"string"},"by":{"type":"string"},
		"fields":{"type":"array","items":{"type":"object","required":["name"],"properties":{
		"name":{"type":"string"},"from":{"type":"string"},"to":{"type":"string"}}}}}}}}}`
)

func recentChanges() *Tool {
	return &Tool{
		Name:         "recent_changes",
		Title:        "Show recent changes",
		Description:  "Lists what was changed, newest first, and by whom.",
		Schema:       json.RawMessage(changesArgsSchema),
		OutputSchema: json.RawMessage(changesResultSchema),
		ReadOnly:     true,
		Idempotent:   true,
		handle:       handleChanges,
	}
}

// changesResult is the result of recent_changes.
type changesResult struct {
	Changes []changeView `json:"changes"`
}

// changeView is a change in a result.
type changeView struct {
	ID     string      `json:"id"`
	At     string      `json:"at"`
	Kind   string      `json:"kind"`
	Number int         `json:"number"`
	Title  string      `json:"title"`
	By     string      `json:"by"`
	Fields []fieldView `json:"fields,omitempty"`
}

type fieldView struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// changedBy names who made a change.
var changedBy = map[enum.ActorKind]string{
	enum.ActorPerson: "user",
	enum.ActorAgent:  "Errand",
	enum.ActorMCP:    "another assistant",
}

func handleChanges(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	args := struct {
		From  string `json:"from"`
		Limit int    `json:"limit"`
	}{Limit: 50}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	zone, err := tasks.TimeZone(ctx)
	if err != nil {
		return nil, err
	}
	year, month, day := time.Now().In(zone).Date()
	since := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if args.From != "" {
		if since, err = time.ParseInLocation(time.DateOnly, args.From, zone); err != nil {
			return nil, apperr.Invalid("from", "The argument from must be an existing day, such as %s.", example("from"))
		}
	}
	found, err := tasks.RecentChanges(ctx, since, args.Limit)
	if err != nil {
		return nil, err
	}
	out := changesResult{Changes: []changeView{}}
	for _, c := range found {
		out.Changes = append(out.Changes, newChangeView(c, zone))
	}
	return out.limitSize(), nil
}

func newChangeView(c *ent.TaskChange, zone *time.Location) changeView {
	v := changeView{
		ID:   c.ID,
		At:   c.CreatedAt.In(zone).Format(time.RFC3339),
		Kind: strings.ToLower(string(c.Kind)),
		By:   changedBy[c.Actor],
	}
	if t := c.Edges.Task; t != nil {
		v.Number, v.Title = t.Number, t.Title
	}
	for _, f := range c.Fields {
		v.Fields = append(v.Fields, fieldView{f.Name, valueOf(f.From), valueOf(f.To)})
	}
	return v
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return shortValue(*s)
}

// limitSize returns the newest changes within maxListBytes.
func (r changesResult) limitSize() changesResult {
	size := 0
	for i, c := range r.Changes {
		b, err := json.Marshal(c)
		if size += len(b); i > 0 && (err != nil || size > maxListBytes) {
			r.Changes = r.Changes[:i]
			break
		}
	}
	return r
}

func (r changesResult) text() string {
	if len(r.Changes) == 0 {
		return "No changes."
	}
	var lines []string
	for _, c := range r.Changes {
		line := fmt.Sprintf("%s %s task %d: %s, by %s", c.At, c.Kind, c.Number, strconv.Quote(c.Title), c.By)
		for _, f := range c.Fields {
			line += fmt.Sprintf("; %s from %q to %q", f.Name, f.From, f.To)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
