// Package chat sends messages to people where they talk: Slack, Microsoft Teams, Discord, and PagerDuty, which calls them.
//
// It owns the form of each message. It does not retry, and keeps nothing: the room does.
//
// Invariant: no text of an event becomes markup or calls anybody by name.
package chat
