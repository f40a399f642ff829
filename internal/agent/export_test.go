package agent

// Functions that tests of the package agent_test use.
var (
	Estimate      = estimate
	EstimateTools = estimateTools
)
