package enum

// FieldChange is one field of a task before and after a change. Values are in
// the form people read: a title, "HIGH", "2026-11-25", "true"; nil means empty.
type FieldChange struct {
	Name string  `json:"name"`
	From *string `json:"from"`
	To   *string `json:"to"`
}
