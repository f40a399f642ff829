package arch

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notLinked are the packages, with those below them, that cmd/errand must not depend on: they serve planning
// migrations, code generation and tests, and make the program larger and its build slower. Atlas, with its parsers of
// HCL and YAML, was 5 MB of 50.
var notLinked = []string{
	"ariga.io/atlas",
	"entgo.io/ent/dialect/sql/schema",
	"entgo.io/ent/entc",
	"errand/ent/gen",
	"errand/ent/migrate",
	"errand/graph/gen",
	"errand/internal/llm/providertest",
	"errand/internal/testdb",
	"errand/migrations/plan",
	"errand/test",
	"github.com/99designs/gqlgen/api",
	"github.com/99designs/gqlgen/codegen",
	"github.com/99designs/gqlgen/graphql/playground",
	"github.com/go-openapi/inflect",
	"github.com/goccy/go-yaml",
	"github.com/google/go-cmp",
	"github.com/hashicorp/hcl",
	"github.com/stretchr/testify",
	"github.com/tmc/langchaingo/llms/anthropic",
	"github.com/tmc/langchaingo/llms/googleai",
	"github.com/tmc/langchaingo/llms/ollama",
	"github.com/tmc/langchaingo/llms/openai",
	"github.com/zclconf/go-cty",
	"golang.org/x/tools",
	"gopkg.in/yaml.v3",
	"net/http/httptest",
	"testing",
}

func TestBinary_Dependencies_IncludeNoDevelopmentPackages(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/errand")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, forbidden := range notLinked {
			if pkg == forbidden || strings.HasPrefix(pkg, forbidden+"/") {
				t.Errorf("cmd/errand depends on %s, which is not for the server: see its importers with "+
					"\"go list -deps -f '{{.ImportPath}}: {{.Imports}}' ./cmd/errand\"", pkg)
			}
		}
	}
}
