package graphqlhttp

import (
	"container/list"
	"sync"
)

// cache keeps the valid documents that were used last, within a bound of memory. It
// serves both the parser, which need not see a document twice, and persisted queries.
type cache struct {
	mu    sync.Mutex
	room  int
	used  int
	byKey map[string]*list.Element
	order *list.List // of *document, most recently used first
}

func newCache(room int) *cache {
	return &cache{room: room, byKey: map[string]*list.Element{}, order: list.New()}
}

func (c *cache) get(hash string) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.byKey[hash]
	if !ok {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*document)
}

// add stores d and drops what was used longest ago. A document that alone would take
// more than an eighth of the room is not stored: nobody may sweep the cache cheaply.
func (c *cache) add(d *document) {
	if d.weight > c.room/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[d.hash]; ok {
		return
	}
	c.byKey[d.hash] = c.order.PushFront(d)
	for c.used += d.weight; c.used > c.room; {
		last := c.order.Remove(c.order.Back()).(*document)
		delete(c.byKey, last.hash)
		c.used -= last.weight
	}
}
