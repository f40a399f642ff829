package mcp

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// secretWord is part of all of Bob's texts.
const secretWord = "zx9secret"

// TestIsolation_OtherUsersObjects_AreNotFound calls every tool, resource, prompt and subscription as Alice with
// Bob's ids: the answers equal those for missing objects, and Bob's rows stay unchanged.
func TestIsolation_OtherUsersObjects_AreNotFound(t *testing.T) {
	for _, revision := range bothRevisions {
		t.Run(revision, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, w *fixture) { attack(t, w, revision) })
		})
	}
}

func attack(t *testing.T, w *fixture, revision string) {
	bobs := w.createTask("bob", secretWord)
	task, err := w.tasks.FindTaskByNumber(w.context("bob"), bobs)
	require.NoError(t, err)
	talk := w.addConversation("bob", 2)
	alice := w.connect(t, token(t, "alice", nil), revision)

	tools, err := alice.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, tool := range tools.Tools {
		if tool.Name == "add_task" || tool.Name == "list_tasks" {
			continue
		}
		args := map[string]any{"number": bobs}
		if tool.Name == "update_task" {
			args["title"] = "mine now"
		}
		foreign, missing := alice.callTool(tool.Name, args), alice.callTool(tool.Name, map[string]any{"number": 77777})
		require.True(t, foreign.IsError, tool.Name)
		require.Equal(
			t,
			strings.ReplaceAll(textOf(missing), "77777", strconv.Itoa(bobs)),
			textOf(foreign),
			"the two must look alike",
		)
	}
	for _, search := range []map[string]any{nil, {"search": secretWord}, {"after": 0}, {"status": "all"}} {
		require.EqualValues(t, 0, alice.mustCall("list_tasks", search)["total"])
	}
	foreign := []string{
		taskURIOf(
			strconv.Itoa(bobs),
		), taskURIOf(task.ID), conversationURIOf(talk.ID),
		conversationURIOf(talk.ID) + "?before=eyJsIjoibWVzc2FnZXMiLCJrIjpbM119",
		"errand://users/bob", "errand://tasks/../conversations/" + talk.ID, "errand://bob@tasks/1", "file:///etc/passwd",
		"errand://tasks/0" + strconv.Itoa(bobs), "errand://conversations/" + task.ID, "errand://tasks/" + talk.ID,
	}
	for _, uri := range foreign {
		_, err := alice.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		require.ErrorContains(t, err, "Resource not found", uri)
	}
	listed, err := alice.ListResources(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, listed.Resources, 1)
	prompt, err := alice.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "daily_review"})
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprint(prompt.Messages[1].Content.(*sdk.EmbeddedResource).Resource.Text), secretWord)
	if revision == revision2026 {
		for _, uri := range foreign[:3] {
			require.NoError(t, alice.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri}))
			alice.requireNotification("ack ")
		}
	}
	kept, err := w.tasks.FindTaskByNumber(w.context("bob"), bobs)
	require.NoError(t, err)
	require.Equal(t, task.Version, kept.Version)
	require.Nil(t, kept.DeletedAt)
}

// TestIsolation_ConcurrentUsers_SeeOwnTasks runs two users at the same time.
func TestIsolation_ConcurrentUsers_SeeOwnTasks(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		var all sync.WaitGroup
		for _, name := range []string{"alice", "bob"} {
			for range 3 {
				c := w.connect(t, token(t, name, nil), revision2026)
				all.Go(func() {
					for range 5 {
						c.callTool("add_task", map[string]any{"title": "by " + name})
					}
				})
			}
		}
		all.Wait()
		for _, name := range []string{"alice", "bob"} {
			found := w.connect(t, token(t, name, nil), "2025-11-25").mustCall("list_tasks", nil)
			require.EqualValues(t, 15, found["total"])
			for i, one := range found["tasks"].([]any) {
				require.Equal(t, "by "+name, one.(map[string]any)["title"])
				require.EqualValues(t, i+1, one.(map[string]any)["number"])
			}
		}
	})
}

func TestScopes_ToolsAndResources_RequireScope(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		w.createTask("alice", "a task")
		scoped := func(scope any) string {
			return token(t, "alice", func(m jwt.MapClaims) { m["scope"] = scope })
		}
		const read = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_tasks"}}`
		const write = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_task","arguments":{"title":"x"}}}`
		const list = `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`
		const resource = `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"errand://tasks/1"}}`
		const prompt = `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"daily_review"}}`
		const tools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
		for _, c := range []struct {
			name, token, body, missing string
		}{
			{"no claim reads", token(t, "alice", nil), read, ""},
			{"no claim writes", token(t, "alice", nil), write, ""},
			{"read reads", scoped("openid tasks:read"), read, ""},
			{"read reads resources", scoped("tasks:read"), resource, ""},
			{"read may not write", scoped("tasks:read"), write, "tasks:write"},
			{"write writes", scoped("tasks:write"), write, ""},
			{"write may not read", scoped("tasks:write"), read, "tasks:read"},
			{"write may not list resources", scoped("tasks:write"), list, "tasks:read"},
			{"write may not read resources", scoped("tasks:write"), resource, "tasks:read"},
			{"write may not use prompts", scoped("tasks:write"), prompt, "tasks:read"},
			{"scopes of others do not limit", scoped("openid profile"), read, ""},
			{"an empty claim does not limit", scoped(""), read, ""},
			{"scopes are words, not parts of them", scoped("chat tasks:readers xtasks:write"), read, "tasks:read"},
			{"any scope lists the tools", scoped("account"), tools, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				answer, body := w.post(t, c.body, withToken(c.token))
				if c.missing == "" {
					require.Equal(t, 200, answer.StatusCode, body)
					require.NotContains(t, body, `"error":{"code":`)
					return
				}
				require.Equal(t, 403, answer.StatusCode, body)
				challenge := answer.Header.Get("WWW-Authenticate")
				require.Contains(t, challenge, `error="insufficient_scope"`)
				require.Contains(t, challenge, `scope="`+c.missing+`"`)
				require.Contains(t, challenge, "/.well-known/oauth-protected-resource/mcp")
				require.Contains(t, body, `"code":-32013`)
				require.Contains(t, body, `"scope":"`+c.missing+`"`)
			})
		}
		found, err := w.tasks.FindTaskByNumber(w.context("alice"), 4)
		require.NoError(t, err)
		require.Nil(t, found, "the rejected call stored nothing")
	})
}
