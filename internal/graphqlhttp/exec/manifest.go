package exec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Manifest is an allow-list of persisted documents: no other document is executed.
type Manifest struct {
	documents map[string]string // by SHA-256
	ids       map[string]string // SHA-256 by other identifiers
}

// ReadManifest reads the file that a build tool of a front end writes, in one of two forms: a JSON object that maps the
// identifier of each allowed document to the document (graphql-codegen, Relay), or Apollo's persisted query manifest.
// Identifiers are the SHA-256 of the document in lower-case hexadecimal, alone or after "sha256:", which must be that
// of the document; or the MD5 of Relay, or the SHA-1 of graphql-codegen, which are not checked.
func ReadManifest(r io.Reader) (*Manifest, error) {
	var members map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&members); err != nil {
		return nil, fmt.Errorf("read the manifest of allowed documents: %w", err)
	}
	documents, err := manifestDocuments(members)
	if err != nil {
		return nil, fmt.Errorf("read the manifest of allowed documents: %w", err)
	}
	m := &Manifest{documents: map[string]string{}, ids: map[string]string{}}
	for _, id := range slices.Sorted(maps.Keys(documents)) {
		if err := m.add(id, documents[id]); err != nil {
			return nil, fmt.Errorf("manifest entry %s: %w", truncateMessage(id), err)
		}
	}
	return m, nil
}

// add adds a document under its identifier.
func (m *Manifest) add(id, document string) error {
	actual := hashDocument(document)
	given, prefixed := strings.CutPrefix(id, "sha256:")
	switch {
	case isHash(given) && given != actual:
		return fmt.Errorf("the document's SHA-256 is %s", actual)
	case isHash(given):
	case !prefixed && isHexadecimal(id) && (len(id) == 32 || len(id) == 40):
		m.ids[id] = actual
	default:
		return errors.New("the identifier must be a SHA-256, also with the prefix \"sha256:\", an MD5 or a SHA-1, " +
			"in lower-case hexadecimal")
	}
	m.documents[actual] = document
	return nil
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
	for id, raw := range members {
		var document string
		if err := json.Unmarshal(raw, &document); err != nil {
			return nil, err
		}
		documents[id] = document
	}
	return documents, nil
}

// Len returns the number of allowed documents.
func (m *Manifest) Len() int { return len(m.documents) }

func hashDocument(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
