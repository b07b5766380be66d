// Package arch holds the rules of the house as tests: which room may import which, where foreign families may appear, that every package says what it owns.
//
// It owns no code that runs in the product.
package arch
