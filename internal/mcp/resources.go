package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"errand/ent"
	"errand/internal/ids"
	"errand/internal/tool"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The resources. What belongs to somebody else does not exist.
const (
	scheme          = "errand"
	openTasksURI    = "errand://tasks/open"
	openTasksMore   = "errand://tasks/open{?after,label}"
	taskURI         = "errand://tasks/{task}"
	conversationURI = "errand://conversations/{conversation}{?before}"

	jsonType = "application/json"
)

func (s *Server) addResources(server *sdk.Server) {
	server.AddResource(openTasks(), s.read)
	for _, t := range []*sdk.ResourceTemplate{
		{
			Name: "open-tasks", Title: "Open tasks, continued", URITemplate: openTasksMore,
			Description: "The open tasks with a number greater than \"after\"; with \"label\", those that carry it.",
		},
		{
			Name: "task", Title: "A task", URITemplate: taskURI,
			Description: "One task, by its number or its id.",
		},
		{
			Name: "conversation", Title: "A conversation", URITemplate: conversationURI,
			Description: "The newest messages of a conversation, by its id; \"before\" leads to earlier ones.",
		},
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

// place is what a resource's URI names. A resource has one URI: changes are told under that alone.
type place struct {
	kind, name string
	query      url.Values
}

func parsePlace(uri string) (p place, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != scheme || u.User != nil || u.Fragment != "" || u.RawPath != "" || u.String() != uri {
		return place{}, false
	}
	p = place{kind: u.Host, name: strings.TrimPrefix(u.Path, "/"), query: u.Query()}
	for parameter := range p.query {
		if !slices.Contains(p.parameters(), parameter) {
			return place{}, false
		}
	}
	return p, p.name != "" && !strings.Contains(p.name, "/")
}

// parameters are the names that the place's query may hold.
func (p place) parameters() []string {
	switch {
	case p.kind == "tasks" && p.name == "open":
		return []string{"after", "label"}
	case p.kind == "conversations":
		return []string{"before"}
	default:
		return nil
	}
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
	return &sdk.ReadResourceResult{
		Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: jsonType, Text: string(text)}},
	}, nil
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
		return s.openList(ctx, p.query.Get("after"), p.query.Get("label"))
	case p.kind == "tasks":
		return s.task(ctx, p.name)
	case p.kind == "conversations" && ids.Is(p.name, ids.Conversation):
		return s.conversation(ctx, p.name, p.query.Get("before"))
	default:
		return nil, nil
	}
}

// task is one task by number or id, outside the trash.
func (s *Server) task(ctx context.Context, name string) (any, error) {
	var found *ent.Task
	var err error
	if ids.Is(name, ids.Task) {
		found, err = s.o.Tasks.FindTask(ctx, name)
	} else if number, bad := strconv.Atoi(name); bad == nil && strconv.Itoa(number) == name {
		found, err = s.o.Tasks.FindTaskByNumber(ctx, number)
	}
	if err != nil || found == nil || found.DeletedAt != nil {
		return nil, err
	}
	return tool.DescribeTask(ctx, s.o.Tasks, found)
}
