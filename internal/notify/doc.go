// Package notify takes what happened to people and systems.
//
// It owns subscriptions and notices: who is told of which events, when, how often it is tried, and what became of it; what a message is; the one client by
// which anything leaves for an address that users name (Outbound); and, in the drivers below it, the form of each receiver. It does not own what happened
// (the activities append events), nor the mails that an activity writes itself.
//
// Invariants: no text of a message can become a header, a recipient, a command or markup of the way it goes. An event is a notice of a subscription at most
// once, and a notice has one id over all its attempts. Nothing is sent into a network of the server's own unless the operator allows it.
package notify
