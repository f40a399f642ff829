package account

import (
	"slices"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/tool"
)

// ToolApprovals returns when changes by each tool need the user's approval, for all tools that change tasks.
func ToolApprovals(u *ent.User) []*enum.ToolApproval {
	var all []*enum.ToolApproval
	for _, name := range tool.ChangingTools() {
		all = append(all, &enum.ToolApproval{Tool: name, Mode: u.ApprovalPolicy.Mode(name)})
	}
	return all
}

// checkPolicy accepts tools that change tasks.
func checkPolicy(policy []*enum.ToolApproval) error {
	tools := tool.ChangingTools()
	for _, a := range policy {
		if !slices.Contains(tools, a.Tool) {
			return apperr.Invalid("approvalPolicy", "The tools that make changes are: %s.", strings.Join(tools, ", "))
		}
		if a.Mode == enum.ApprovalAsk && !tool.CanAsk(a.Tool) {
			return apperr.Invalid("approvalPolicy", "The tool %s changes no task and cannot ask: set it to NEVER or AUTO.",
				a.Tool)
		}
	}
	return nil
}

// mergePolicy returns the policy after a change of some tools.
func mergePolicy(before enum.ApprovalPolicy, changes []*enum.ToolApproval) enum.ApprovalPolicy {
	after := enum.ApprovalPolicy{}
	for name, mode := range before {
		after[name] = mode
	}
	for _, c := range changes {
		if c.Mode == enum.ApprovalDefault {
			delete(after, c.Tool)
			continue
		}
		after[c.Tool] = c.Mode
	}
	return after
}
