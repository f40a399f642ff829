package authz

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"errand/internal/ids"
	"errand/internal/testclient"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
	"github.com/yosida95/uritemplate/v3"
)

// resourceTemplate is a resource template, with values of its variables that refer to the session owner's data.
type resourceTemplate struct {
	*uritemplate.Template
	own map[string]string
}

// expandWith returns the URI of the template with the own values and, unless variable is empty, one of them replaced.
func (p resourceTemplate) expandWith(t *testing.T, variable, value string) string {
	t.Helper()
	values := uritemplate.Values{}
	for name, own := range p.own {
		values.Set(name, uritemplate.String(own))
	}
	if variable != "" {
		values.Set(variable, uritemplate.String(value))
	}
	uri, err := p.Expand(values)
	require.NoError(t, err)
	return uri
}

// resourceTemplates returns the templates that the server lists, with own values. The result is cached.
func (session *mcpSession) resourceTemplates(t *testing.T) []resourceTemplate {
	t.Helper()
	if session.templates != nil {
		return session.templates
	}
	listed, err := session.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, listed.ResourceTemplates)
	for _, l := range listed.ResourceTemplates {
		parsed, err := uritemplate.New(l.URITemplate)
		require.NoError(t, err)
		session.templates = append(session.templates, resourceTemplate{parsed, session.ownValues(t, parsed)})
	}
	return session.templates
}

func (session *mcpSession) ownValues(t *testing.T, parsed *uritemplate.Template) map[string]string {
	t.Helper()
	tries := []map[string]string{{}}
	for _, variable := range parsed.Varnames() {
		for _, own := range append(session.owner.allIDs(), session.owner.taskNumbers()...) {
			tries = append(tries, map[string]string{variable: own})
		}
	}
	answer := ""
	for _, own := range tries {
		if answer = session.readResource(t, resourceTemplate{parsed, own}.expandWith(t, "",
			"")); !isError(answer) || isInternalError(answer) {
			return own
		}
	}
	require.Failf(
		t,
		"no own resource",
		"no own value is valid for %s; last response: %s",
		parsed.Raw(),
		answer,
	)
	return nil
}

// taskNumbers returns the user's task numbers as text.
func (user *userFixture) taskNumbers() (out []string) {
	for _, n := range user.numbers {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// allAttackValues returns the victim's values of every kind, for arguments whose kind is unknown.
func (m *authzMatrix) allAttackValues() (out []attackValue) {
	for prefix, group := range m.victim.ids {
		out = append(out, attackValue{group[0], ids.New(prefix)()})
		if last := group[len(group)-1]; last != group[0] {
			out = append(out, attackValue{last, ids.New(prefix)()})
		}
	}
	for _, cursor := range m.victim.cursors {
		out = append(out, attackValue{cursor, nil})
	}
	return append(out, attackValue{m.victim.taskNumbers()[0], "987654"}, attackValue{guess, absentGuess})
}

// listPages returns all pages of the resource list.
func (session *mcpSession) listPages(t *testing.T) (pages []*sdk.ListResourcesResult) {
	t.Helper()
	for cursor := ""; cursor != "" || pages == nil; cursor = pages[len(pages)-1].NextCursor {
		page, err := session.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: cursor})
		require.NoError(t, err)
		pages = append(pages, page)
	}
	return pages
}

// snapshot reads everything the server lists with the owner's values only, and returns the responses by name.
func (session *mcpSession) snapshot(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for i, page := range session.listPages(t) {
		seen[fmt.Sprint("resources ", i)] = resultText(t, page, nil)
		for _, resource := range page.Resources {
			seen[resource.URI] = session.readResource(t, resource.URI)
		}
	}
	for _, template := range session.resourceTemplates(t) {
		seen[template.Raw()] = session.readResource(t, template.expandWith(t, "", ""))
	}
	tools, err := session.ListTools(t.Context(), nil)
	seen["tools"] = resultText(t, tools, err)
	for _, tool := range session.toolbox(t).tools {
		if tool.readOnly {
			seen[tool.name] = session.callTool(t, tool.name, session.ownToolArguments(tool))
		}
	}
	prompts, err := session.ListPrompts(t.Context(), nil)
	seen["prompts"] = resultText(t, prompts, err)
	for _, prompt := range prompts.Prompts {
		seen[prompt.Name] = session.getPrompt(t, prompt.Name, nil)
	}
	return seen
}

// ownToolArguments returns the arguments with which a read-only tool shows the owner's data.
func (session *mcpSession) ownToolArguments(tool toolInfo) testclient.Vars {
	if strings.Contains(string(tool.schema), `"number":`) {
		return testclient.Vars{"number": session.owner.numbers[0]}
	}
	return testclient.Vars{}
}

// attackArgument calls the server with each value, and returns leaks, internal errors and values whose
// response differs from that of an absent value.
func (session *mcpSession) attackArgument(t *testing.T, what string, tries []attackValue,
	answer func(value string) string,
) (findings []string) {
	t.Helper()
	for _, try := range tries {
		hit := answer(try.victim.(string))
		if leak := session.authz.findLeak(hit, try.victim); leak != "" {
			findings = append(findings, fmt.Sprintf("%s: %s = %v shows %s", session.mcpVariant, what, try.victim, leak))
		}
		if isInternalError(hit) {
			findings = append(findings, fmt.Sprintf("%s: %s = %v causes an internal error", session.mcpVariant, what,
				try.victim))
		}
		if try.absent == nil {
			continue
		}
		if miss := answer(try.absent.(string)); normalizeResponse(hit, try.victim) != normalizeResponse(miss, try.absent) {
			findings = append(
				findings,
				fmt.Sprintf("%s: %s distinguishes %v from %v:\n%s\n%s", session.mcpVariant, what, try.victim, try.absent, hit,
					miss),
			)
		}
	}
	return findings
}

// attackResourceTemplates attacks every variable of every template, and the cursor of the resource list.
func (session *mcpSession) attackResourceTemplates(t *testing.T) map[string][]string {
	t.Helper()
	findings := map[string][]string{}
	for _, template := range session.resourceTemplates(t) {
		for _, variable := range template.Varnames() {
			what := template.Raw() + " " + variable
			findings[what] = session.attackArgument(
				t,
				what,
				session.authz.allAttackValues(),
				func(value string) string { return session.readResource(t, template.expandWith(t, variable, value)) },
			)
		}
	}
	findings["the list cursor"] = session.attackArgument(t, "the list cursor", session.authz.victim.listCursors,
		func(value string) string {
			page, err := session.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: value})
			return resultText(t, page, err)
		})
	return findings
}

// attackPrompts attacks every argument of every prompt.
func (session *mcpSession) attackPrompts(t *testing.T) map[string][]string {
	t.Helper()
	findings := map[string][]string{}
	listed, err := session.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	for _, prompt := range listed.Prompts {
		for _, argument := range prompt.Arguments {
			require.False(t, argument.Required, "the matrix has no own value for the required argument %s of %s",
				argument.Name, prompt.Name)
			what := prompt.Name + " " + argument.Name
			findings[what] = session.attackArgument(t, what, session.authz.allAttackValues(), func(value string) string {
				return session.getPrompt(t, prompt.Name, map[string]string{argument.Name: value})
			})
		}
	}
	return findings
}

// collectVictimMCPReferences records what an attacker could obtain of the victim's sessions:
// resource URIs, list cursors and a session ID.
func (m *authzMatrix) collectVictimMCPReferences(t *testing.T) {
	t.Helper()
	session := m.connectMCP(t, mcpVariant{"http", "2026-07-28"}, m.victim)
	m.victim.listCursors, m.victim.mcpResources = nil, map[string]bool{}
	letters := map[string]bool{
		"c": true,
	} // "c" starts a cursor of the conversations, which need more than 50 rows for a second page
	for _, page := range session.listPages(t) {
		if page.NextCursor != "" {
			m.victim.listCursors = append(m.victim.listCursors, attackValue{page.NextCursor, nil})
			letters[page.NextCursor[:1]] = true
		}
	}
	require.NotEmpty(t, m.victim.listCursors, "the victim's list has one page, so the attack has no cursor")
	for letter := range letters { // also the cursors of the GraphQL API with each prefix letter
		for _, cursor := range m.victim.cursors {
			m.victim.listCursors = append(m.victim.listCursors, attackValue{letter + cursor, nil})
		}
	}
	for _, template := range session.resourceTemplates(t) {
		for _, variable := range template.Varnames() {
			for _, try := range m.allAttackValues() {
				uri := template.expandWith(t, variable, try.victim.(string))
				m.victim.mcpResources[uri] = !isError(session.readResource(t, uri))
			}
		}
	}
	m.victim.mcpSessionID = m.connectMCP(t, mcpVariant{"http", "2025-11-25"}, m.victim).ID()
}

// attackSubscriptions subscribes to each resource of the victim.
func (session *mcpSession) attackSubscriptions(t *testing.T) map[string][]string {
	t.Helper()
	findings := map[string][]string{}
	for _, template := range session.resourceTemplates(t) {
		if len(template.own) == 0 {
			continue // every user has a resource with this URI
		}
		for _, variable := range template.Varnames() {
			var tries []attackValue
			for _, try := range session.authz.allAttackValues() {
				if session.authz.victim.mcpResources[template.expandWith(t, variable, try.victim.(string))] && try.absent != nil {
					tries = append(tries, try)
				}
			}
			if len(tries) > 0 {
				what := "subscribing to " + template.Raw()
				findings[what] = session.attackArgument(t, what, tries, func(value string) string {
					uri := template.expandWith(t, variable, value)
					answer := session.subscribe(t, uri)
					_ = session.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: uri}) // the subscription may have failed
					return answer
				})
			}
		}
	}
	require.NotEmpty(t, findings, "no resource of the victim can be subscribed to, so the attack proves nothing")
	return findings
}

// attackSession sends requests as the attacker with the victim's session ID, which must not give access.
func (session *mcpSession) attackSession(t *testing.T) (findings []string) {
	t.Helper()
	absent := session.authz.connectMCP(t, mcpVariant{"http", "2025-11-25"}, session.authz.attacker).ID()
	require.NotEmpty(t, session.authz.victim.mcpSessionID)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		for _, header := range []string{"Mcp-Session-Id", "Last-Event-Id"} {
			findings = append(
				findings,
				session.attackArgument(t, method+" with "+header, []attackValue{{session.authz.victim.mcpSessionID, absent}},
					func(value string) string {
						return session.sendRaw(t, method, header, value)
					})...)
		}
	}
	return findings
}

// isInternalError reports an internal error: a query that expects one own row also matched rows of other users.
func isInternalError(answer string) bool { return strings.Contains(answer, "INTERNAL_SERVER_ERROR") }

// sortedFindings returns all findings in the order of their keys.
func sortedFindings(findings map[string][]string) (out []string) {
	for _, what := range slices.Sorted(maps.Keys(findings)) {
		out = append(out, findings[what]...)
	}
	return out
}
