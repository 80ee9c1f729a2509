// Package uniqueid is mod_unique_id: a name for every request, in the variable UNIQUE_ID and in place of %L's own id.
//
//	request --> Early: step (module.go) --> generator.next --> UNIQUE_ID, Exchange.UniqueID --> error log, %L
//
// Reading order: module.go, generator.go.
package uniqueid
