package tool

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Values of the keyword "offer" of an argument. Without it, every variant has the argument.
const (
	// offerNever marks other spellings of arguments, which calls may use.
	offerNever = "never"
	// offerFull marks arguments that the compact variant leaves out.
	offerFull = "full"
)

// unoffered are the keywords that cost tokens in every request and help no model: a call beyond a bound gets an error
// that names it.
var unoffered = map[string]bool{
	"minLength": true, "maxLength": true, "minItems": true, "maxItems": true, "minimum": true, "maximum": true,
	"pattern": true, "offer": true,
}

// offeredSchema returns the variant of an argument schema that models get: without bounds and without arguments that
// are other spellings. The compact one also has no descriptions and fewer arguments. The order of arguments stays.
func offeredSchema(schema json.RawMessage, compact bool) (json.RawMessage, error) {
	o := offer{compact: compact}
	if err := o.schema(schema, true); err != nil {
		return nil, fmt.Errorf("deriving the offered schema: %w", err)
	}
	return o.out.Bytes(), nil
}

type offer struct {
	compact bool
	out     bytes.Buffer
}

// schema writes a schema; outer is set for the schema of all arguments.
func (o *offer) schema(raw json.RawMessage, outer bool) error {
	return o.object(raw, func(key string, value json.RawMessage) (write func() error) {
		switch {
		case unoffered[key], o.compact && key == "description", key == "additionalProperties" && (o.compact || !outer):
			return nil
		case key == "properties":
			return func() error { return o.properties(value) }
		case key == "items":
			return func() error { return o.schema(value, false) }
		default:
			return func() error { return json.Compact(&o.out, value) }
		}
	})
}

func (o *offer) properties(raw json.RawMessage) error {
	return o.object(raw, func(_ string, value json.RawMessage) (write func() error) {
		var s struct{ Offer string }
		if json.Unmarshal(value, &s) != nil || s.Offer == offerNever || o.compact && s.Offer == offerFull {
			return nil
		}
		return func() error { return o.schema(value, false) }
	})
}

// object writes the members of an object for which choose returns a function, which writes the value.
func (o *offer) object(raw json.RawMessage, choose func(key string, value json.RawMessage) func() error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return fmt.Errorf("not an object: %.40s", raw)
	}
	o.out.WriteByte('{')
	for first := true; d.More(); {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		write := choose(name, value)
		if write == nil {
			continue
		}
		if !first {
			o.out.WriteByte(',')
		}
		first = false
		fmt.Fprintf(&o.out, "%q:", name)
		if err := write(); err != nil {
			return err
		}
	}
	o.out.WriteByte('}')
	return nil
}
