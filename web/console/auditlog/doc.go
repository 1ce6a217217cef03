// Package auditlog is the console's pages of the audit log: who did what, from where.
//
//	GET  /console/audit-log          the entries, newest first (kind, who, app, by, since, until, failed, at)
//	GET  /console/audit-log/ENTRY    one, with before and after
//	POST /console/audit-log/export   the entries that the filter gives, as a file (format: csv, jsonl)
//	GET  /console/audit-log/verify   how far the log is chained and checked
//	POST /console/audit-log/verify   checks its newest part
package auditlog
