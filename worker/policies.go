package main

// policy judges one object at a time, from several threads; about is the policy itself.
type policy interface {
	about() reference
	judge(*subject) []statement
}
