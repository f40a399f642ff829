package signin

import "testing"

// BenchmarkPasswordHasher measures one sign-in's hash, with and without an account.
func BenchmarkPasswordHasher(b *testing.B) {
	h := newPasswordHasher()
	hash, err := h.hash(b.Context(), goodPassword)
	if err != nil {
		b.Fatal(err)
	}
	for name, stored := range map[string]*string{"account": &hash, "unknown": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.verify(b.Context(), stored, goodPassword); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
