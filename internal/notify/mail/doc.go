// Package mail sends messages by SMTP.
//
// It owns the connection to the mail server: encryption, sign-in, time-outs. It does not retry: a job does.
//
// Invariant: over a network nothing is sent unencrypted, and the password is in no error.
package mail
