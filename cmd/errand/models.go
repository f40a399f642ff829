package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"errand/internal/config"
	"errand/internal/llm/catalog"
	"errand/internal/server"

	"github.com/spf13/cobra"
)

func newModelsCommand(inv *invocation) *cobra.Command {
	var provider string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List the models of a provider and what they can do",
		Args:  refuseArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runModels(cmd.Context(), inv, provider, asJSON)
		},
	}
	cmd.Flags().StringVar(&provider, "provider", "",
		"openai, gemini, anthropic or ollama; the default is that of LLM_PROVIDER")
	addJSONFlag(cmd, &asJSON)
	completeWith(cmd, "provider", "openai", "gemini", "anthropic", "ollama")
	return cmd
}

// runModels prints the models of a provider, by default of the configured one.
func runModels(ctx context.Context, inv *invocation, name string, asJSON bool) error {
	cfg, err := inv.loadConfig()
	if err != nil {
		return err
	}
	provider := cmp.Or(name, string(cfg.LLM.Provider))
	if provider == string(config.Rules) {
		_, err := fmt.Fprintln(inv.stdout,
			"The built-in model is in use. Set LLM_PROVIDER or a key, or choose a provider with --provider.")
		return err
	}
	models, err := server.ListModels(ctx, cfg.LLM, provider)
	if err != nil {
		return fmt.Errorf("listing the models of %s: %w", provider, err)
	}
	if asJSON {
		return writeJSON(inv.stdout, models)
	}
	return writeModels(inv, models, cfg.LLM, provider)
}

// writeModels prints a table. The configured model is marked.
func writeModels(inv *invocation, models []catalog.Model, c config.LLM, provider string) error {
	w := tabwriter.NewWriter(inv.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tMODEL\tCONTEXT\tRESPONSE\tTOOLS\tTHINKING")
	tokens := func(n int) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(n)
	}
	for _, m := range models {
		mark := ""
		if m.Name == c.Model && provider == string(c.Provider) {
			mark = "*"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", mark, m.Name, tokens(m.ContextTokens), tokens(m.OutputTokens),
			cmp.Or(string(m.Tools), "-"), cmp.Or(string(m.Thinking), "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(inv.stdout, "%d models. The agent needs one with tools; \"-\" means that %s does not tell.\n",
		len(models), provider)
	return err
}
