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
	order    *list.List // of *document, most recently used first
}

func newDocumentCache(maxBytes int) *documentCache {
	return &documentCache{maxBytes: maxBytes, byHash: map[string]*list.Element{}, order: list.New()}
}

func (c *documentCache) get(hash string) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.byHash[hash]
	if !ok {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*document)
}

// add stores d and evicts the least recently used documents. A document that alone would take more than an eighth of
// the cache is not stored, so that a client cannot evict the others with few requests.
func (c *documentCache) add(d *document) {
	if d.bytes > c.maxBytes/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byHash[d.hash]; ok {
		return
	}
	c.byHash[d.hash] = c.order.PushFront(d)
	for c.bytes += d.bytes; c.bytes > c.maxBytes; {
		last := c.order.Remove(c.order.Back()).(*document)
		delete(c.byHash, last.hash)
		c.bytes -= last.bytes
	}
}
