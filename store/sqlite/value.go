package sqlite

import (
	"database/sql"
	"fmt"
	"reflect"
)

// scan fills destinations from a row.
func scan(row []any, dest []any) error {
	if len(row) != len(dest) {
		return fmt.Errorf("scan %d columns into %d destinations", len(row), len(dest))
	}
	for i, v := range row {
		if err := assign(dest[i], v); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// assign puts a value of SQLite's five types where the caller wants it. NULL goes
// into a Scanner or a byte slice only.
func assign(dest any, v any) error {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(v)
	case *[]byte:
		switch v := v.(type) {
		case nil:
			*d = nil
		case []byte:
			*d = v
		case string:
			*d = []byte(v)
		default:
			return fmt.Errorf("scan %T into %T", v, dest)
		}
		return nil
	}
	to := reflect.ValueOf(dest)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return fmt.Errorf("scan into %T, which is no pointer", dest)
	}
	to = to.Elem()
	switch v := v.(type) {
	case int64:
		if to.CanInt() && !to.OverflowInt(v) {
			to.SetInt(v)
			return nil
		}
	case string:
		if to.Kind() == reflect.String {
			to.SetString(v)
			return nil
		}
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
			return nil
		}
	}
	return fmt.Errorf("scan %T into %T", v, dest)
}
