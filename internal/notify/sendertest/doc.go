// Package sendertest is what every driver of notify.Sender that posts is held to: what it takes for delivered, that it follows no redirect, that it gives up on
// who does not answer, and that no address and no secret is in what it tells.
//
// It owns the cases that all receivers have in common. What a message looks like is in the driver's own tests.
package sendertest
