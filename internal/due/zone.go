package due

import (
	"regexp"
	"strings"
	"time"
)

var offsetForm = regexp.MustCompile(`^(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?$`)

// zoneNames has the zone, or the offset from UTC, of names with one meaning.
var zoneNames = map[string]string{
	"utc": "+00:00", "gmt": "+00:00", "zulu": "+00:00", "z": "+00:00", "cet": "+01:00", "cest": "+02:00",
	"eet": "+02:00", "eest": "+03:00", "msk": "+03:00", "jst": "+09:00", "kst": "+09:00", "hkt": "+08:00",
	"sgt": "+08:00", "aest": "+10:00", "aedt": "+11:00", "acst": "+09:30", "acdt": "+10:30", "awst": "+08:00",
	"nzst": "+12:00", "nzdt": "+13:00", "pkt": "+05:00", "npt": "+05:45", "sast": "+02:00", "wib": "+07:00",
	"est": "-05:00", "edt": "-04:00", "cdt": "-05:00", "mst": "-07:00", "mdt": "-06:00", "pst": "-08:00",
	"pdt": "-07:00", "akst": "-09:00", "akdt": "-08:00", "hst": "-10:00", "brt": "-03:00",
	"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
	"eastern": "America/New_York", "central": "America/Chicago", "mountain": "America/Denver",
	"pacific": "America/Los_Angeles",
}

// ambiguousZones are abbreviations that several countries use for different offsets.
var ambiguousZones = map[string]bool{"ist": true, "cst": true, "bst": true, "ast": true, "sst": true, "gst": true}

var zoneAreas = []string{
	"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Etc",
}

// zone parses a time zone at i, directly after a time of day. Without one, end is i. Abbreviations and offsets are
// taken exactly: CET is UTC+1, also in summer. Abbreviations that the user's own zone uses are those of that zone.
func (p parser) zone(i int) (zone *time.Location, end int, invalid string) {
	w, closed := p.word(i), 0
	if w == "(" && p.word(i+2) == ")" {
		w, closed = p.word(i+1), 2
	}
	if loc, end, invalid := p.offset(i); end > i {
		return loc, end, invalid
	}
	if end, ok := p.anyAt(i, "my time", "local time"); ok {
		return p.now.Location(), end, ""
	}
	if loc := p.ownZone(w); loc != nil {
		return loc, i + 1 + closed, ""
	}
	if ambiguousZones[w] {
		return nil, i + 1 + closed, "The zone " + strings.ToUpper(
			w,
		) + " has several meanings. Please write an offset, such as +01:00."
	}
	if area, city, ok := strings.Cut(w, "/"); ok {
		return p.ianaZone(i, area, city, i+1+closed)
	}
	name := zoneNames[w]
	if isArea := strings.Contains(name, "/") && len(w) > 2; name == "" || isArea && p.word(i+1) != "time" {
		return p.cityTime(i)
	}
	end = i + 1 + closed
	if p.word(end) == "time" {
		end++
	}
	return location(name), end, ""
}

// location returns the zone of an entry of zoneNames.
func location(name string) *time.Location {
	if m := offsetForm.FindStringSubmatch(name); m != nil {
		return fixed(m)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

func fixed(m []string) *time.Location {
	seconds := parseNumber(m[2])*3600 + parseNumber(m[3])*60
	if m[1] == "-" {
		seconds = -seconds
	}
	return time.FixedZone("", seconds)
}

// offset parses "+02:00", "utc+2" and "utc +2".
func (p parser) offset(i int) (*time.Location, int, string) {
	w, end := p.word(i), i+1
	if next := p.word(i + 1); (w == "utc" || w == "gmt") && offsetForm.MatchString(next) && next[0] < '0' {
		w, end = w+next, i+2
	}
	m := offsetForm.FindStringSubmatch(w)
	if m == nil {
		return nil, i, ""
	}
	if parseNumber(m[2]) > 14 || parseNumber(m[3]) > 59 {
		return nil, end, "There is no offset " + w + " from UTC."
	}
	return fixed(m), end, ""
}

// ownZone returns the zone of an abbreviation that the user's zone uses in the current year, or nil.
func (p parser) ownZone(w string) *time.Location {
	if len(w) < 2 {
		return nil
	}
	for months := range 12 {
		t := p.now.AddDate(0, months, 0)
		if name, offset := t.Zone(); strings.EqualFold(name, w) {
			return time.FixedZone(name, offset)
		}
	}
	return nil
}

// ianaZone parses "europe/berlin".
func (p parser) ianaZone(i int, area, city string, end int) (*time.Location, int, string) {
	for _, known := range zoneAreas {
		if !strings.EqualFold(known, area) {
			continue
		}
		if loc := loadZone(known, city); loc != nil {
			return loc, end, ""
		}
		return nil, end, "I do not know the time zone " + p.word(i) + "."
	}
	return nil, i, ""
}

var lowerParts = map[string]bool{"of": true, "es": true, "au": true}

// loadZone returns the zone of a city in any case, or nil.
func loadZone(area, city string) *time.Location {
	fold := func(s, sep string) string {
		parts := strings.Split(s, sep)
		for i, part := range parts {
			if part != "" && !lowerParts[part] {
				parts[i] = strings.ToUpper(part[:1]) + part[1:]
			}
		}
		return strings.Join(parts, sep)
	}
	if area == "Etc" {
		city = strings.ToUpper(city)
	}
	loc, err := time.LoadLocation(area + "/" + fold(fold(fold(city, "_"), "-"), "/"))
	if err != nil {
		return nil
	}
	return loc
}

// cityTime parses "london time" and "new york time".
func (p parser) cityTime(i int) (*time.Location, int, string) {
	end := i + 1
	if p.word(end) != "time" {
		end++
	}
	city := strings.Join(p.words[min(i, len(p.words)):min(end, len(p.words))], "_")
	if p.word(end) != "time" || strings.Trim(city, "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return nil, i, ""
	}
	var found *time.Location
	for _, area := range zoneAreas {
		loc := loadZone(area, city)
		if loc != nil && found != nil {
			return nil, end + 1, "There are several zones of " + p.said(i, end) + ". Please write an offset, such as +01:00."
		}
		if loc != nil {
			found = loc
		}
	}
	if found == nil {
		return nil, end + 1, "I do not know the time zone of " + p.said(i, end) + ". Please write an offset, such as +01:00."
	}
	return found, end + 1, ""
}
