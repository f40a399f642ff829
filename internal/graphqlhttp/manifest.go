package graphqlhttp

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
// lower-case hexadecimal, to the document itself, or Apollo's persisted query manifest, which
// says the same at more length. A hash that does not match is an error.
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
		if actual := hashOf(documents[hash]); actual != hash {
			return nil, fmt.Errorf("manifest entry %s: the document's SHA-256 is %s", shorten(hash), actual)
		}
	}
	return &Manifest{documents: documents}, nil
}

func manifestDocuments(members map[string]json.RawMessage) (map[string]string, error) {
	documents := map[string]string{}
	if members["format"] != nil {
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

// Len is the number of allowed documents.
func (m *Manifest) Len() int { return len(m.documents) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
