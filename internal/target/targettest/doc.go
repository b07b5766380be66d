// Package targettest is the one suite that every target driver passes.
//
// It owns what a place must do, seen through target.Driver and through another hand that acts on the place behind the driver's back. It does not own how
// a driver does it; what only one driver has is tested beside that driver.
//
// Invariant: the suite asks nothing of a driver that the comments of target.Driver do not promise.
package targettest
