package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"errand/internal/apperr"
	"errand/internal/due"
	"errand/internal/viewer"
)

const (
	zoneArgsSchema = `{"type":"object","additionalProperties":false,"required":["time_zone"],"properties":{
		"time_zone":{"type":"string","minLength":1,"maxLength":64,"description":"IANA name, such as Europe/Berlin."}}}`
	zoneResultSchema = `{"type":"object","additionalProperties":false,"required":["time_zone","previous","now"],
		"properties":{"time_zone":{"type":"string"},"previous":{"type":"string"},"now":{"type":"string"}}}`
)

func setTimeZone() *Tool {
	return &Tool{
		Name:         "set_time_zone",
		Title:        "Set the time zone",
		Description:  "Sets the user's time zone.\nOnly when the user asks for it or has moved.",
		Schema:       json.RawMessage(zoneArgsSchema),
		OutputSchema: json.RawMessage(zoneResultSchema),
		Idempotent:   true,
		scope:        viewer.Account,
		handle:       handleTimeZone,
	}
}

// zoneResult is the result of set_time_zone.
type zoneResult struct {
	TimeZone string `json:"time_zone"`
	Previous string `json:"previous"`
	// Now is the present time in the zone.
	Now string `json:"now"`
}

func handleTimeZone(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args struct {
		TimeZone string `json:"time_zone"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	name := args.TimeZone
	if known, ok := due.ZoneName(name); ok {
		name = known
	}
	before, err := tasks.TimeZone(ctx)
	if err != nil {
		return nil, err
	}
	if err := tasks.SetTimeZone(ctx, name); err != nil {
		if e := apperr.From(err); e.Code == apperr.BadUserInput {
			return nil, apperr.Invalid("time_zone", "The argument time_zone must be the IANA name of a time zone, such as %s.",
				example("time_zone"))
		}
		return nil, err
	}
	zone, err := tasks.TimeZone(ctx)
	if err != nil {
		return nil, err
	}
	return zoneResult{
		TimeZone: name,
		Previous: before.String(),
		Now:      time.Now().In(zone).Format(time.RFC3339),
	}, nil
}

func (r zoneResult) text() string {
	return fmt.Sprintf("The time zone is %s now, before it was %s.", r.TimeZone, r.Previous)
}
