package due

import (
	"strings"
	"time"
)

// ZoneName returns the IANA name of the zone that text names in any case: a zone such as "europe/berlin", or the city
// of one zone such as "new york". Offsets and abbreviations are not names: they do not tell when clocks change.
func ZoneName(text string) (name string, ok bool) {
	text = strings.ToLower(strings.Join(strings.Fields(text), "_"))
	text = strings.TrimSuffix(text, "_time")
	if text == "utc" {
		return "UTC", true
	}
	area, city, isZone := strings.Cut(text, "/")
	var found *time.Location
	for _, known := range zoneAreas {
		var zone *time.Location
		switch {
		case !isZone && known != "Etc":
			zone = loadZone(known, text)
		case strings.EqualFold(known, area):
			zone = loadZone(known, city)
		}
		if zone != nil && found != nil {
			return "", false
		}
		if zone != nil {
			found = zone
		}
	}
	if found == nil {
		return "", false
	}
	return found.String(), true
}
