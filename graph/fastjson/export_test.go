package fastjson

// Off makes an operation with this room go gqlgen's own way throughout.
func (r *Room) Off() { r.off = true }
