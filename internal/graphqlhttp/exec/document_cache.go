package exec

import (
	"container/list"
	"sync"
)

// documentCache keeps the valid documents that were used last, within a bound of memory. It spares the parser
// documents that it has parsed before, and it stores automatic persisted queries.
type documentCache struct {
	mu       sync.Mutex
	maxBytes int
	bytes    int
	byHash   map[string]*list.Element
	order    *list.List // of *cachedDocument, most recently used first
}

// cachedDocument is a document in the cache.
type cachedDocument struct {
	*document
	// registered means that the document may be requested by its hash alone.
	registered bool
}

func newDocumentCache(maxBytes int) *documentCache {
	return &documentCache{maxBytes: maxBytes, byHash: map[string]*list.Element{}, order: list.New()}
}

// get returns the document with a hash, or nil. With register, the document is registered.
func (c *documentCache) get(hash string, register bool) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(hash)
	if d == nil {
		return nil
	}
	d.registered = d.registered || register
	return d.document
}

// registered returns the registered document with a hash, or nil.
func (c *documentCache) registered(hash string) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(hash)
	if d == nil || !d.registered {
		return nil
	}
	return d.document
}

// find returns the entry with a hash and marks it as used, or nil; the caller holds mu.
func (c *documentCache) find(hash string) *cachedDocument {
	element, ok := c.byHash[hash]
	if !ok {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*cachedDocument)
}

// add stores d and evicts the least recently used documents. A document that alone would take more than an eighth of
// the cache is not stored, so that a client cannot evict the others with few requests.
func (c *documentCache) add(d *document, registered bool) {
	if d.bytes > c.maxBytes/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if previous := c.find(d.hash); previous != nil {
		previous.registered = previous.registered || registered
		return
	}
	c.byHash[d.hash] = c.order.PushFront(&cachedDocument{document: d, registered: registered})
	for c.bytes += d.bytes; c.bytes > c.maxBytes; {
		last := c.order.Remove(c.order.Back()).(*cachedDocument)
		delete(c.byHash, last.hash)
		c.bytes -= last.bytes
	}
}
