package account

import (
	"context"

	"errand/internal/quota"
)

// AllowCall counts a call that another assistant makes for the viewer (MCP), and returns RATE_LIMITED beyond perMinute.
func (s *Service) AllowCall(ctx context.Context, perMinute int) error {
	return quota.AllowCall(ctx, s.client, perMinute)
}
