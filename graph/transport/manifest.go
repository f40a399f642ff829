package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Manifest is a strict allow-list: the only documents that may run.
type Manifest struct {
	documents map[string]string
}

// ReadManifest reads a JSON object that maps the SHA-256 of each allowed document, in
// lower-case hexadecimal, to the document itself. A hash that does not match is an error.
func ReadManifest(r io.Reader) (*Manifest, error) {
	var documents map[string]string
	decoder := json.NewDecoder(r)
	if err := decoder.Decode(&documents); err != nil {
		return nil, fmt.Errorf("read the manifest of allowed documents: %w", err)
	}
	for _, hash := range slices.Sorted(maps.Keys(documents)) {
		if actual := hashOf(documents[hash]); actual != hash {
			return nil, fmt.Errorf("manifest entry %s: the document's SHA-256 is %s", shorten(hash), actual)
		}
	}
	return &Manifest{documents: documents}, nil
}

// Len is the number of allowed documents.
func (m *Manifest) Len() int { return len(m.documents) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
