// Package look is what every page has, whoever makes it: the policy that it is shown under, and how one browser wants it to look. It knows
// nothing of what pages are about.
package look
