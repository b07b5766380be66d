// Package docs serves what is written about the running version at /docs: the guide, the design, the reference of commands and that of the API, with a search over all
// of it.
//
// It owns how documents look and how they are found. It owns no text: documents are files of the binary, and the reference of the API is made from its OpenAPI document.
//
// Invariant: nothing of an installation is on these pages, so they need no sign-in; and nothing in a document becomes markup but what Markdown means by it.
package docs
