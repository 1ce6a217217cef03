package audit

import (
	"encoding/json"
	"reflect"
)

// Changes is before and after of what differs between two values, by their JSON names, for
// [Record.Detail] or [Record.Personal]. A nil value stands for what is not there.
func Changes(before, after any) map[string]any {
	was, is := fields(before), fields(after)
	from, to := map[string]any{}, map[string]any{}
	for k, v := range was {
		if other, ok := is[k]; !ok || !reflect.DeepEqual(v, other) {
			from[k] = v
		}
	}
	for k, v := range is {
		if other, ok := was[k]; !ok || !reflect.DeepEqual(v, other) {
			to[k] = v
		}
	}
	out := map[string]any{}
	if len(from) > 0 {
		out["before"] = from
	}
	if len(to) > 0 {
		out["after"] = to
	}
	return out
}

func fields(v any) (out map[string]any) {
	if text, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(text, &out) // what is no object has no fields
	}
	return out
}
