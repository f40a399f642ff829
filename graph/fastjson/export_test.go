package fastjson

// Disable makes gqlgen resolve every field of an operation with this budget.
func (b *Budget) Disable() { b.disabled = true }
