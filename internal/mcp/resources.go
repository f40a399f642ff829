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
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// URIs of the resources. Another user's object is indistinguishable from a missing one.
const (
	scheme          = "errand"
	openTasksURI    = "errand://tasks/open"
	openTasksMore   = "errand://tasks/open{?after,label}"
	taskURI         = "errand://tasks/{task}"
	conversationURI = "errand://conversations/{conversation}{?before}"

	jsonType = "application/json"
)

func (s *Server) addResources(server *sdk.Server) {
	server.AddResource(openTasksResource(), s.read)
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

func openTasksResource() *sdk.Resource {
	return &sdk.Resource{
		URI: openTasksURI, Name: "open-tasks", Title: "Open tasks", MIMEType: jsonType,
		Description: "What is still to be done, in the order of numbers, up to 100 tasks at once.",
	}
}

// resourceURI is a parsed resource URI. Each resource has one canonical URI, which notifications use.
type resourceURI struct {
	kind, name string
	query      url.Values
}

// maxURI is the maximum length of a URI in bytes. The longest part of a valid one is a label or a cursor.
const maxURI = 2048

func parseURI(uri string) (p resourceURI, ok bool) {
	if len(uri) > maxURI {
		return resourceURI{}, false
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != scheme || u.User != nil || u.Fragment != "" || u.RawPath != "" || u.String() != uri {
		return resourceURI{}, false
	}
	p = resourceURI{kind: u.Host, name: strings.TrimPrefix(u.Path, "/"), query: u.Query()}
	for parameter := range p.query {
		if !slices.Contains(p.allowedParameters(), parameter) {
			return resourceURI{}, false
		}
	}
	return p, p.name != "" && !strings.Contains(p.name, "/")
}

// allowedParameters returns the query parameters of the resource.
func (p resourceURI) allowedParameters() []string {
	switch {
	case p.kind == "tasks" && p.name == "open":
		return []string{"after", "label"}
	case p.kind == "conversations":
		return []string{"before"}
	default:
		return nil
	}
}

// read serves resources/read.
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

// exists reports whether the viewer can read the resource. It reads at most one row, since a subscription may name
// many resources.
func (s *Server) exists(ctx context.Context, uri string) bool {
	p, ok := parseURI(uri)
	switch {
	case !ok:
		return false
	case p.kind == "tasks" && p.name == "open":
		_, scopeErr := viewer.Require(ctx, viewer.TasksRead)
		_, numberErr := parseAfter(p.query.Get("after"))
		return scopeErr == nil && numberErr == nil
	case p.kind == "tasks":
		found, err := s.findTask(ctx, p.name)
		return err == nil && found != nil
	case p.kind == "conversations" && ids.Is(p.name, ids.Conversation):
		found, err := s.o.Conversations.FindConversation(ctx, p.name)
		return err == nil && found != nil
	default:
		return false
	}
}

// content returns the content of a resource of the viewer, nil when there is none.
func (s *Server) content(ctx context.Context, uri string) (any, error) {
	p, ok := parseURI(uri)
	switch {
	case !ok:
		return nil, nil
	case p.kind == "tasks" && p.name == "open":
		return s.openTasks(ctx, p.query.Get("after"), p.query.Get("label"))
	case p.kind == "tasks":
		return s.task(ctx, p.name)
	case p.kind == "conversations" && ids.Is(p.name, ids.Conversation):
		return s.conversation(ctx, p.name, p.query.Get("before"))
	default:
		return nil, nil
	}
}

// task returns the content of a task, nil when there is none.
func (s *Server) task(ctx context.Context, name string) (any, error) {
	found, err := s.findTask(ctx, name)
	if err != nil || found == nil {
		return nil, err
	}
	return tool.DescribeTask(ctx, s.o.Tasks, found)
}

// findTask returns a task outside the trash by number or id, nil when there is none.
func (s *Server) findTask(ctx context.Context, name string) (found *ent.Task, err error) {
	if ids.Is(name, ids.Task) {
		found, err = s.o.Tasks.FindTask(ctx, name)
	} else if number, bad := strconv.Atoi(name); bad == nil && strconv.Itoa(number) == name {
		found, err = s.o.Tasks.FindTaskByNumber(ctx, number)
	}
	if err != nil || found == nil || found.DeletedAt != nil {
		return nil, err
	}
	return found, nil
}
