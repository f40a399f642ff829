package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/ids"
)

// The resources. What belongs to somebody else does not exist.
const (
	scheme          = "errand"
	openTasksURI    = "errand://tasks/open"
	openTasksMore   = "errand://tasks/open{?after}"
	taskURI         = "errand://tasks/{task}"
	conversationURI = "errand://conversations/{conversation}{?before}"

	jsonType = "application/json"
)

// openTasksSize is how many tasks one reading of the open list holds.
const openTasksSize = 100

func (s *Server) addResources(server *sdk.Server) {
	server.AddResource(openTasks(), s.read)
	for _, t := range []*sdk.ResourceTemplate{
		{Name: "open-tasks", Title: "Open tasks, continued", URITemplate: openTasksMore,
			Description: "The open tasks with a number greater than \"after\"."},
		{Name: "task", Title: "A task", URITemplate: taskURI,
			Description: "One task, by its number or its id."},
		{Name: "conversation", Title: "A conversation", URITemplate: conversationURI,
			Description: "The newest messages of a conversation, by its id; \"before\" leads to earlier ones."},
	} {
		t.MIMEType = jsonType
		server.AddResourceTemplate(t, s.read)
	}
}

func openTasks() *sdk.Resource {
	return &sdk.Resource{
		URI: openTasksURI, Name: "open-tasks", Title: "Open tasks", MIMEType: jsonType,
		Description: "What is still to be done, in the order of numbers, up to 100 tasks at once.",
	}
}

// place is what a resource's URI names.
type place struct {
	kind, name string
	query      url.Values
}

func parsePlace(uri string) (p place, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != scheme || u.User != nil || u.Fragment != "" {
		return place{}, false
	}
	p = place{kind: u.Host, name: strings.TrimPrefix(u.Path, "/"), query: u.Query()}
	return p, p.name != "" && !strings.Contains(p.name, "/")
}

// read answers resources/read.
func (s *Server) read(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := req.Params.URI
	content, err := s.content(ctx, uri)
	if err != nil {
		return nil, err
	}
	if content == nil {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("writing a resource: %w", err)
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: jsonType, Text: string(text)}}}, nil
}

// exists says whether the viewer can read the resource.
func (s *Server) exists(ctx context.Context, uri string) bool {
	content, err := s.content(ctx, uri)
	return err == nil && content != nil
}

// content is what the viewer's resource holds, nil when there is no such resource.
func (s *Server) content(ctx context.Context, uri string) (any, error) {
	p, ok := parsePlace(uri)
	switch {
	case !ok:
		return nil, nil
	case p.kind == "tasks" && p.name == "open":
		return s.openList(ctx, p.query.Get("after"), "")
	case p.kind == "tasks":
		return s.task(ctx, p.name)
	case p.kind == "conversations" && ids.Is(p.name, ids.Conversation):
		return s.conversation(ctx, p.name, p.query.Get("before"))
	default:
		return nil, nil
	}
}

// openList is list_tasks of what is open, with the address of the rest.
func (s *Server) openList(ctx context.Context, after, label string) (any, error) {
	args := map[string]any{"status": "pending", "limit": openTasksSize}
	if after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 {
			return nil, apperr.Invalid("after", "\"after\" is the number of a task.")
		}
		args["after"] = n
	}
	if label != "" {
		args["label"] = label
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("writing arguments: %w", err)
	}
	result, err := s.o.Tools.Call(ctx, "list_tasks", string(raw))
	if err != nil {
		return nil, err
	}
	if result.Failed {
		return nil, apperr.New(apperr.BadUserInput, "%s", result.Text)
	}
	var list struct {
		Tasks []json.RawMessage `json:"tasks"`
		Total int               `json:"total"`
		More  string            `json:"more,omitempty"`
	}
	if err := json.Unmarshal([]byte(result.JSON), &list); err != nil {
		return nil, fmt.Errorf("reading the open list: %w", err)
	}
	if len(list.Tasks) == openTasksSize {
		var last struct{ Number int }
		if err := json.Unmarshal(list.Tasks[openTasksSize-1], &last); err != nil {
			return nil, fmt.Errorf("reading the open list: %w", err)
		}
		list.More = openTasksURI + "?after=" + strconv.Itoa(last.Number)
	}
	return list, nil
}

// task is one task by number or id, outside the trash.
func (s *Server) task(ctx context.Context, name string) (any, error) {
	var found *ent.Task
	var err error
	if ids.Is(name, ids.Task) {
		found, err = s.o.Tasks.Get(ctx, name)
	} else if number, bad := strconv.Atoi(name); bad == nil && strconv.Itoa(number) == name {
		found, err = s.o.Tasks.ByNumber(ctx, number)
	}
	if err != nil || found == nil || found.DeletedAt != nil {
		return nil, err
	}
	return s.o.Tools.Describe(ctx, found)
}
