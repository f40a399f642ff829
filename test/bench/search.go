package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// messagesPerConversation is the length of the conversations of the users whose messages are searched.
const messagesPerConversation = 100

// measureSearch measures lists and counts of users with many tasks and messages, one request at a time.
func measureSearch(ctx context.Context, b *bench, out io.Writer) error {
	clients, err := b.seedSearched(ctx)
	if err != nil {
		return err
	}
	t := newTable(
		"Searches and counts by the number of the user's tasks and messages: p50 / p95 ms, PostgreSQL's CPU ms", "request")
	for _, n := range b.size.searched {
		t.rows[0] = append(t.rows[0], fmt.Sprint(n))
	}
	list := func(filter string) string { return `{tasks(first:20,filter:{` + filter + `}){nodes{id title}}}` }
	messages := func(query string) string {
		return `{searchMessages(first:20,query:"` + query + `"){nodes{snippet message{id} conversation{id title}}}}`
	}
	find := func(reference string) string {
		return `{findTask(reference:"` + reference + `"){certain{id} candidates{task{id}}}}`
	}
	for _, request := range []struct{ name, document string }{
		{"a rare word", list(`search:"dentist"`)},
		{"a word of all tasks", list(`search:"week"`)},
		{"two words", list(`search:"report week"`)},
		{"the beginning of a word", list(`search:"den"`)},
		{"the beginning of words of all tasks", list(`search:"w"`)},
		{"a word, with the total", `{tasks(first:20,filter:{search:"report"}){nodes{id title} totalCount}}`},
		{"a label", list(`label:"work"`)},
		{"the trash", list(`trashed:true`)},
		{"counters", `{taskCounts{pending completed trashed overdue}}`},
		{"labels in use", `{labels{name count}}`},
		{"a task by a title of one", find("the dentist of week 7 again")},
		{"a task by words of many", find("the report")},
		{"a task by a misspelled word", find("dentsit")},
		{"messages with a number", messages("77")},
		{"messages with a word of all", messages("message")},
		{"messages with two words of all", messages("message send")},
		{"messages with a rare and a frequent word", messages("77 message")},
		{"messages with words of none", messages("message nowhere")},
	} {
		row := []any{request.name}
		for _, c := range clients {
			cell, err := b.timeRequests(ctx, c, request.document)
			if err != nil {
				return fmt.Errorf("%s: %w", request.name, err)
			}
			row = append(row, cell)
		}
		t.add(row...)
	}
	return t.write(out)
}

// seedSearched adds a user for each number of tasks, with as many messages, and returns their clients.
func (b *bench) seedSearched(ctx context.Context) ([]*client, error) {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	s, err := b.startErrand(ctx, hs256()...)
	if err != nil {
		return nil, err
	}
	var clients []*client
	for i, tasks := range b.size.searched {
		number, subject := b.size.users+2+i, fmt.Sprintf("searched%d", tasks)
		statements := append(
			[]string{seedUsers(number, number, `'`+subject+`'`, tasks, 0)},
			seedTasks(number, number, tasks)...)
		statements = append(statements,
			seedConversations(number, number, max(1, tasks/messagesPerConversation), messagesPerConversation)...)
		statements = append(statements, seedMessageTerms(number, number))
		if err := execute(ctx, conn, statements); err != nil {
			return nil, err
		}
		c, err := b.newClient(s, subject)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, execute(
		ctx,
		conn,
		[]string{`VACUUM ANALYZE`},
	)
}

// timeRequests executes an operation repeatedly and returns its times.
func (b *bench) timeRequests(ctx context.Context, c *client, document string) (string, error) {
	const warm, counted = 10, 50 // PostgreSQL chooses a statement's plan in the first executions
	var times []time.Duration
	var cpu time.Duration
	for i := range warm + counted {
		if i == warm {
			cpu = cpuTime(b.postgres)
		}
		start := time.Now()
		if err := c.graphql(ctx, document, nil, nil); err != nil {
			return "", err
		}
		if i >= warm {
			times = append(times, time.Since(start))
		}
	}
	cpu = cpuTime(b.postgres) - cpu
	slices.Sort(times)
	return fmt.Sprintf("%.1f / %.1f, %.1f", ms(quantile(times, .5)), ms(quantile(times, .95)), ms(cpu)/counted), nil
}
