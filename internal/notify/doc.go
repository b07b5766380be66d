// Package notify takes what happened to people and systems.
//
// It owns what a message is and, in the drivers below, how it gets there. It does not own what is told to whom: each activity writes its own messages.
//
// Invariant: no text of a message can become a header, a recipient or a command of the way it goes.
package notify
