// Package stream delivers changes of conversations and tasks to subscribers, on this replica and, over a Bus, on the
// other replicas.
//
// An Event goes through four steps: a writer calls Hub.Publish, the hub delivers the event to the subscriptions of its
// topic, MessageStream or TaskStream applies it to the subscriber's state, and the stream yields the resulting events.
//
// Three invariants make every subscriber end with exactly the stored text, whatever the bus loses or repeats:
//
//   - Events are hints, and the rows in the database are the truth. An event states where it belongs (message, attempt
//     and offset), so a repeated event has no effect and a missing one is noticed. The rows are read again after a gap.
//   - A stream subscribes to the hub first, then reads the rows, then applies events. A change that commits after the
//     rows were read is therefore announced by an event in the subscription.
//   - A writer publishes after its transaction has committed, and never waits for a subscriber. A subscriber that does
//     not keep up loses its queued events and reads the rows.
package stream
