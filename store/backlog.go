package store

import "time"

// Backlog is what waits to be done.
type Backlog struct {
	Waiting int       // as far as it was counted
	Oldest  time.Time // when the one that has waited longest of those was made; zero: none waits
}

// Backlogs are what is done after a request was answered.
type Backlogs struct {
	Mails  Backlog // queued
	Hooks  Backlog // deliveries of webhooks
	Events Backlog // of the audit log, not chained yet
}
