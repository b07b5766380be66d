// Package console is the pages that people work with: what runs, how it is, and the verbs on it.
//
// It owns how things look and how pages stay live; it owns no rule. All that a page shows or does is a call of the API, made inside of the process for the person
// who looks at it, so that a page can do what the API and the CLI can, and nothing else.
package console
