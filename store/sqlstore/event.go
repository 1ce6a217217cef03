package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	"idp/store"
)

// EventSignedIn is by far the most frequent kind of event; it is in no index of kinds.
const EventSignedIn = "user.signed_in"

// events is the condition of a list.
func events(f store.EventFilter) (w where) {
	kind := f.Kind != "" && f.Kind != EventSignedIn
	if f.User != "" {
		w.and(`user_id = `, f.User)
	}
	switch {
	case f.Client != "" && kind: // of the two indexes, that of rare kinds is the shorter way
		w.and(`client_id || '' = `, f.Client)
	case f.Client != "":
		w.and(`client_id = `, f.Client)
	}
	if f.Kind != "" {
		w.and(`kind = `, f.Kind)
	}
	if f.Actor != "" {
		w.and(`actor = `, f.Actor)
		w.parts = append(w.parts, `actor <> ''`)
	}
	if kind {
		w.parts = append(w.parts, `kind <> 'user.signed_in'`)
	}
	if !f.Since.IsZero() {
		w.and(`at >= `, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		w.and(`at < `, f.Until.UnixMicro())
	}
	return w
}

// keyed is what a [store.KeyedEvent] is read from.
const keyed = `SELECT ` + eventColumns + `, user_key.sealed FROM event LEFT JOIN user_key ON user_key.user_id = event.user_id`

func (db *DB) readEvents(ctx context.Context, sql string, args []any) ([]store.KeyedEvent, error) {
	var out []store.KeyedEvent
	err := db.engine.Read(ctx, sql, args, func(scan func(...any) error) error {
		var e store.KeyedEvent
		err := scan(append(eventInto(&e.Event), &e.Key)...)
		out = append(out, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return out, nil
}

// reach is how many rows of an ordered list are looked at at most, to have n of them.
// Postgres plans a LIMIT whose number is an argument for a tenth of the table, and sorts that;
// so a number stands in the statement. There are few, to keep the statements few.
func reach(n int) string {
	most := 100
	for most < n {
		most *= 10
	}
	return strconv.Itoa(most)
}

// Events lists events, newest first. The rows that the offset passes
// are passed in an index.
func (db *DB) Events(ctx context.Context, f store.EventFilter, offset, limit int) ([]store.KeyedEvent, error) {
	w := events(f)
	return db.readEvents(ctx, keyed+` WHERE event.id IN (SELECT id FROM (
		SELECT id FROM (SELECT id, at FROM event`+w.String()+` ORDER BY at DESC, id DESC LIMIT `+reach(offset+limit)+`) AS reached
		ORDER BY at DESC, id DESC LIMIT `+w.arg(limit)+` OFFSET `+w.arg(offset)+`) AS page)
		ORDER BY event.at DESC, event.id DESC`, w.args)
}

// EventsBefore lists events before a place, newest first; the zero place is the end.
func (db *DB) EventsBefore(ctx context.Context, f store.EventFilter, before store.EventPlace, limit int) ([]store.KeyedEvent, error) {
	w := events(f)
	if !before.At.IsZero() {
		w.parts = append(w.parts, `(at, id) < (`+w.arg(before.At.UnixMicro())+`, `+w.arg(before.ID[:])+`)`)
	}
	return db.pageOfEvents(ctx, w, "DESC", limit)
}

// EventsAfter lists events after a place, oldest first; the zero place is the beginning.
func (db *DB) EventsAfter(ctx context.Context, f store.EventFilter, after store.EventPlace, limit int) ([]store.KeyedEvent, error) {
	w := events(f)
	if !after.At.IsZero() {
		w.parts = append(w.parts, `(at, id) > (`+w.arg(after.At.UnixMicro())+`, `+w.arg(after.ID[:])+`)`)
	}
	return db.pageOfEvents(ctx, w, "ASC", limit)
}

func (db *DB) pageOfEvents(ctx context.Context, w where, order string, limit int) ([]store.KeyedEvent, error) {
	return db.readEvents(ctx, `SELECT `+eventColumns+`, user_key.sealed FROM (SELECT * FROM (
		SELECT * FROM event`+w.String()+` ORDER BY at `+order+`, id `+order+` LIMIT `+reach(limit)+`) AS reached
		ORDER BY at `+order+`, id `+order+` LIMIT `+w.arg(limit)+`) AS event
		LEFT JOIN user_key ON user_key.user_id = event.user_id ORDER BY event.at `+order+`, event.id `+order, w.args)
}

// CountEvents counts events, up to most.
func (db *DB) CountEvents(ctx context.Context, f store.EventFilter, most int) (n int, err error) {
	w := events(f)
	order := ""
	if !f.Since.IsZero() && f.User == "" && f.Client == "" {
		// Postgres plans for any time, expects to find plenty wherever it begins, and would begin
		// with the oldest: in the order of time it begins with those that are asked for.
		order = ` ORDER BY at DESC, id DESC`
	}
	err = db.one(ctx, "count events", `SELECT COUNT(*) FROM (SELECT 1 FROM event`+w.String()+order+` LIMIT `+strconv.Itoa(most)+`) AS counted`, w.args, &n)
	return n, err
}

// Event reads an event. The error is [store.NotFound].
func (db *DB) Event(ctx context.Context, id store.ID) (store.KeyedEvent, error) {
	found, err := db.readEvents(ctx, keyed+` WHERE event.id = $1`, []any{id[:]})
	if err == nil && len(found) == 0 {
		return store.KeyedEvent{}, &store.Error{Code: store.NotFound, Op: "read event"}
	}
	if err != nil {
		return store.KeyedEvent{}, err
	}
	return found[0], nil
}
