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

// resourceTemplate is a template of resources, with values that are the attacker's own.
type resourceTemplate struct {
	*uritemplate.Template
	own map[string]string
}

// expandWith is the resource of the attacker's, one of its variables replaced.
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

// resourceTemplates are those that the server lists. What is needed to reach a resource of one is found
// by trying the person's own things, once.
func (d *assistantSession) resourceTemplates(t *testing.T) []resourceTemplate {
	t.Helper()
	if d.listed != nil {
		return d.listed
	}
	listed, err := d.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, listed.ResourceTemplates)
	for _, l := range listed.ResourceTemplates {
		parsed, err := uritemplate.New(l.URITemplate)
		require.NoError(t, err)
		d.listed = append(d.listed, resourceTemplate{parsed, d.reachingValues(t, parsed)})
	}
	return d.listed
}

func (d *assistantSession) reachingValues(t *testing.T, parsed *uritemplate.Template) map[string]string {
	t.Helper()
	tries := []map[string]string{{}}
	for _, variable := range parsed.Varnames() {
		for _, own := range append(d.owner.allIDs(), d.owner.taskNames()...) {
			tries = append(tries, map[string]string{variable: own})
		}
	}
	answer := ""
	for _, own := range tries {
		if answer = d.readResource(t, resourceTemplate{parsed, own}.expandWith(t, "", "")); !isError(answer) || isInternalError(answer) {
			return own
		}
	}
	require.Failf(
		t,
		"out of reach",
		"the matrix does not reach %s: none of a person's own things fits; the last gave %s",
		parsed.Raw(),
		answer,
	)
	return nil
}

// taskNames are the person's numbers, as text.
func (p *userFixture) taskNames() (out []string) {
	for _, n := range p.numbers {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// allAttempts are the victim's values of every kind, for arguments of which only the name is known.
func (m *authzMatrix) allAttempts() (out []attempt) {
	for prefix, group := range m.victim.ids {
		out = append(out, attempt{group[0], ids.New(prefix)()})
		if last := group[len(group)-1]; last != group[0] {
			out = append(out, attempt{last, ids.New(prefix)()})
		}
	}
	for _, cursor := range m.victim.cursors {
		out = append(out, attempt{cursor, nil})
	}
	return append(out, attempt{m.victim.taskNames()[0], "987654"}, attempt{guess, wrongGuess})
}

// listPages are all pages of the list of resources.
func (d *assistantSession) listPages(t *testing.T) (out []*sdk.ListResourcesResult) {
	t.Helper()
	for cursor := ""; cursor != "" || out == nil; cursor = out[len(out)-1].NextCursor {
		page, err := d.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: cursor})
		require.NoError(t, err)
		out = append(out, page)
	}
	return out
}

// snapshot asks for everything with nothing but the attacker's own values.
func (d *assistantSession) snapshot(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for i, page := range d.listPages(t) {
		seen[fmt.Sprint("resources ", i)] = resultText(t, page, nil)
		for _, resource := range page.Resources {
			seen[resource.URI] = d.readResource(t, resource.URI)
		}
	}
	for _, template := range d.resourceTemplates(t) {
		seen[template.Raw()] = d.readResource(t, template.expandWith(t, "", ""))
	}
	tools, err := d.ListTools(t.Context(), nil)
	seen["tools"] = resultText(t, tools, err)
	for _, tool := range d.toolbox(t).tools {
		if tool.readOnly {
			seen[tool.name] = d.callTool(t, tool.name, testclient.Vars{})
		}
	}
	prompts, err := d.ListPrompts(t.Context(), nil)
	seen["prompts"] = resultText(t, prompts, err)
	for _, prompt := range prompts.Prompts {
		seen[prompt.Name] = d.getPrompt(t, prompt.Name, nil)
	}
	return seen
}

// attackWith puts the victim's values into an argument, and gives what came of it that must not.
func (d *assistantSession) attackWith(t *testing.T, what string, tries []attempt, answer func(value string) string) (faults []string) {
	t.Helper()
	for _, try := range tries {
		hit := answer(try.value.(string))
		if shown := d.m.findLeak(hit, try.value); shown != "" {
			faults = append(faults, fmt.Sprintf("%s: %s = %v shows %s", d.mcpRoute, what, try.value, shown))
		}
		if isInternalError(hit) {
			faults = append(faults, fmt.Sprintf("%s: %s = %v breaks", d.mcpRoute, what, try.value))
		}
		if try.ghost == nil {
			continue
		}
		if miss := answer(try.ghost.(string)); normalizeResponse(hit, try.value) != normalizeResponse(miss, try.ghost) {
			faults = append(
				faults,
				fmt.Sprintf("%s: %s tells %v from %v:\n%s\n%s", d.mcpRoute, what, try.value, try.ghost, hit, miss),
			)
		}
	}
	return faults
}

// attackResources goes at every variable of every template, and at the list's cursor.
func (d *assistantSession) attackResources(t *testing.T) map[string][]string {
	t.Helper()
	faults := map[string][]string{}
	for _, template := range d.resourceTemplates(t) {
		for _, variable := range template.Varnames() {
			what := template.Raw() + " " + variable
			faults[what] = d.attackWith(
				t,
				what,
				d.m.allAttempts(),
				func(value string) string { return d.readResource(t, template.expandWith(t, variable, value)) },
			)
		}
	}
	faults["the list's cursor"] = d.attackWith(t, "the list's cursor", d.m.victim.listCursors, func(value string) string {
		page, err := d.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: value})
		return resultText(t, page, err)
	})
	return faults
}

// attackPrompts goes at every argument of every prompt.
func (d *assistantSession) attackPrompts(t *testing.T) map[string][]string {
	t.Helper()
	faults := map[string][]string{}
	listed, err := d.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	for _, prompt := range listed.Prompts {
		for _, argument := range prompt.Arguments {
			require.False(t, argument.Required, "teach the matrix what a person's own %s of %s is", argument.Name, prompt.Name)
			what := prompt.Name + " " + argument.Name
			faults[what] = d.attackWith(t, what, d.m.allAttempts(), func(value string) string {
				return d.getPrompt(t, prompt.Name, map[string]string{argument.Name: value})
			})
		}
	}
	return faults
}

// checkCompletionIsolated has the victim tell what its assistants know: what there is to read and the list's cursors.
func (m *authzMatrix) checkCompletionIsolated(t *testing.T) {
	t.Helper()
	d := m.connectAssistant(t, mcpRoute{"http", "2026-07-28"}, m.victim)
	m.victim.listCursors, m.victim.resources = nil, map[string]bool{}
	letters := map[string]bool{"c": true} // a second page of conversations would take fifty of them
	for _, page := range d.listPages(t) {
		if page.NextCursor != "" {
			m.victim.listCursors = append(m.victim.listCursors, attempt{page.NextCursor, nil})
			letters[page.NextCursor[:1]] = true
		}
	}
	require.NotEmpty(t, m.victim.listCursors, "the victim's list has one page: the attack is blunt")
	for letter := range letters { // and the API's cursors behind each of their first letters
		for _, cursor := range m.victim.cursors {
			m.victim.listCursors = append(m.victim.listCursors, attempt{letter + cursor, nil})
		}
	}
	for _, template := range d.resourceTemplates(t) {
		for _, variable := range template.Varnames() {
			for _, try := range m.allAttempts() {
				uri := template.expandWith(t, variable, try.value.(string))
				m.victim.resources[uri] = !isError(d.readResource(t, uri))
			}
		}
	}
	m.victim.session = m.connectAssistant(t, mcpRoute{"http", "2025-11-25"}, m.victim).ID()
}

// attackSubscriptions subscribes to all that is the victim's.
func (d *assistantSession) attackSubscriptions(t *testing.T) map[string][]string {
	t.Helper()
	faults := map[string][]string{}
	for _, template := range d.resourceTemplates(t) {
		if len(template.own) == 0 {
			continue // everybody has a resource of this name
		}
		for _, variable := range template.Varnames() {
			var tries []attempt
			for _, try := range d.m.allAttempts() {
				if d.m.victim.resources[template.expandWith(t, variable, try.value.(string))] && try.ghost != nil {
					tries = append(tries, try)
				}
			}
			if len(tries) > 0 {
				what := "subscribing to " + template.Raw()
				faults[what] = d.attackWith(t, what, tries, func(value string) string {
					uri := template.expandWith(t, variable, value)
					answer := d.subscribe(t, uri)
					_ = d.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: uri}) // it may have been refused
					return answer
				})
			}
		}
	}
	require.NotEmpty(t, faults, "nothing of the victim's can be subscribed to: the attack is blunt")
	return faults
}

// attackSession carries the victim's session along, which must open nothing.
func (d *assistantSession) attackSession(t *testing.T) (faults []string) {
	t.Helper()
	ghost := d.m.connectAssistant(t, mcpRoute{"http", "2025-11-25"}, d.m.mallory).ID()
	require.NotEmpty(t, d.m.victim.session)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		for _, header := range []string{"Mcp-Session-Id", "Last-Event-Id"} {
			faults = append(
				faults,
				d.attackWith(t, method+" with "+header, []attempt{{d.m.victim.session, ghost}}, func(value string) string {
					return d.sendRaw(t, method, header, value)
				})...)
		}
	}
	return faults
}

// isInternalError says that one row was expected, the person's own, and others' were found beside it.
func isInternalError(answer string) bool { return strings.Contains(answer, "INTERNAL_SERVER_ERROR") }

func flattenFindings(faults map[string][]string) (out []string) {
	for _, what := range slices.Sorted(maps.Keys(faults)) {
		out = append(out, faults[what]...)
	}
	return out
}
