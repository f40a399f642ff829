package exec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Manifest is an allow-list of persisted documents: no other document is executed.
type Manifest struct {
	documents map[string]string // by SHA-256
}

// ReadManifest reads a JSON object that maps the SHA-256 of each allowed document, in lower-case hexadecimal, to the
// document, or Apollo's persisted query manifest. A hash that does not match its document is an error.
func ReadManifest(r io.Reader) (*Manifest, error) {
	var members map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&members); err != nil {
		return nil, fmt.Errorf("read the manifest of allowed documents: %w", err)
	}
	documents, err := manifestDocuments(members)
	if err != nil {
		return nil, fmt.Errorf("read the manifest of allowed documents: %w", err)
	}
	for _, hash := range slices.Sorted(maps.Keys(documents)) {
		if actual := hashDocument(documents[hash]); actual != hash {
			return nil, fmt.Errorf("manifest entry %s: the document's SHA-256 is %s", truncateMessage(hash), actual)
		}
	}
	return &Manifest{documents: documents}, nil
}

func manifestDocuments(members map[string]json.RawMessage) (map[string]string, error) {
	documents := map[string]string{}
	if members["format"] != nil { // Apollo's manifest
		var operations []struct{ ID, Body string }
		if err := json.Unmarshal(members["operations"], &operations); err != nil {
			return nil, err
		}
		for _, operation := range operations {
			documents[operation.ID] = operation.Body
		}
		return documents, nil
	}
	for hash, raw := range members {
		var document string
		if err := json.Unmarshal(raw, &document); err != nil {
			return nil, err
		}
		documents[hash] = document
	}
	return documents, nil
}

// Len returns the number of allowed documents.
func (m *Manifest) Len() int { return len(m.documents) }

func hashDocument(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
