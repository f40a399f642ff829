package fastjson

// Disable makes an operation with this room go gqlgen's own way throughout.
func (r *Budget) Disable() { r.disabled = true }
