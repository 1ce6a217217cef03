package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"idp/store"
)

// pageOf reads a page of a list and counts the whole list, no further than one more than
// [store.MaxCount]. from is all from FROM up to where ORDER BY would be. The numbers of the
// placeholders of the page follow those of args.
func pageOf[T any](ctx context.Context, db *DB, op, choose, from, order string, l store.Listing, args []any, scan func(func(...any) error) (T, error)) (page []T, total int, err error) {
	n := len(args)
	query := fmt.Sprintf(`%s %s ORDER BY %s LIMIT $%d OFFSET $%d`, choose, from, order, n+1, n+2)
	err = db.engine.Read(ctx, query, append(append([]any{}, args...), l.Limit, l.Skip), func(row func(...any) error) error {
		one, err := scan(row)
		page = append(page, one)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	}
	if l.Skip == 0 && len(page) < l.Limit {
		return page, len(page), nil
	}
	count := fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 %s LIMIT $%d) counted`, from, n+1)
	err = db.one(ctx, op, count, append(append([]any{}, args...), store.MaxCount+1), &total)
	return page, total, err
}

// oneOf reads a row. The error is [store.NotFound] if there is none.
func oneOf[T any](ctx context.Context, db *DB, op, query string, args []any, scan func(func(...any) error) (T, error)) (out T, err error) {
	found := false
	err = db.engine.Read(ctx, query, args, func(row func(...any) error) (err error) {
		found = true
		out, err = scan(row)
		return err
	})
	switch {
	case err != nil:
		return out, fmt.Errorf("%s: %w", op, err)
	case !found:
		return out, &store.Error{Code: store.NotFound, Op: op}
	}
	return out, nil
}

// names reads one column of text.
func (db *DB) names(ctx context.Context, op, query string, args ...any) (out []string, err error) {
	err = db.engine.Read(ctx, query, args, func(row func(...any) error) error {
		var one string
		err := row(&one)
		out = append(out, one)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// neededBy says what makes an [store.InUse]: query gives its names, of which the first few
// are told.
func (db *DB) neededBy(ctx context.Context, err error, what string, query string, args ...any) error {
	var known *store.Error
	if !errors.As(err, &known) || known.Code != store.InUse {
		return err
	}
	names, failed := db.names(ctx, known.Op, query, args...)
	if failed != nil {
		return failed
	}
	const told = 5
	text := strings.Join(names[:min(told, len(names))], ", ")
	if len(names) > told {
		text += " and more"
	}
	return &store.Error{Code: store.InUse, Op: known.Op, Err: errors.New("it " + what + ": " + text)}
}

// like is a pattern of LIKE ... ESCAPE '\' for what has text in it; everything, for "".
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
