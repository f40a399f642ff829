package fastjson_test

import (
	"context"
	"time"

	"errand/ent/enum"
	"errand/internal/serverinfo"
	"errand/internal/taskparse"
)

func (f queryResolver) ServerInfo(context.Context) (*serverinfo.Info, error) {
	text, number := "x", 5
	signIn := serverinfo.Auth{Methods: []*serverinfo.AuthMethod{{Kind: enum.SignInDevelopment, Path: &text}}}
	return one(f.fixture, []*serverinfo.Info{
		{Auth: signIn},
		{},
		{
			Auth:    signIn,
			Version: &text,
			Model:   &serverinfo.Model{Provider: "openai", Name: "m"},
			Limits:  &serverinfo.Limits{PageSize: number, TasksPerUser: &number},
		},
	}, "serverInfo")
}

func (f queryResolver) ParseTask(_ context.Context, text string) (*taskparse.Task, error) {
	day, at := "2031-01-31", time.Date(2031, 1, 31, 9, 0, 0, 0, time.UTC)
	return one(f.fixture, []*taskparse.Task{
		{Title: text},
		{
			Title:  text,
			DueOn:  &day,
			Labels: []string{"a\"b"},
			Spans:  []*taskparse.Span{{Kind: enum.TextDue, End: 3, Text: "<x>"}},
		},
		{Title: text, DueAt: &at, Priority: enum.PriorityHigh, Uncertain: []string{"friday"}},
	}, "parseTask", text)
}
