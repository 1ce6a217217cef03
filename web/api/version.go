package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Seen is the version that the caller has read, for changes that others may make at the
// same time (RFC 9110 section 13.1.1).
type Seen struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"The ETag that was read: if somebody has changed it since, the answer is 412"`
}

// version reads it; the zero time stands for any.
func (s Seen) version() (time.Time, error) {
	if s.IfMatch == "" || s.IfMatch == "*" {
		return time.Time{}, nil
	}
	text, quoted := strings.CutPrefix(s.IfMatch, `"`)
	text, closed := strings.CutSuffix(text, `"`)
	n, err := strconv.ParseInt(text, 36, 64)
	if err != nil || !quoted || !closed || n <= 0 { // of nothing that was ever read
		return time.Time{}, &problem{status: http.StatusPreconditionFailed, Code: "entity.changed", Message: "The If-Match header is no ETag that was given out here."}
	}
	return time.UnixMicro(n - 1).UTC(), nil
}

// etag names a version; what was never changed has one, too.
func etag(updated time.Time) string {
	return `"` + strconv.FormatInt(updated.UnixMicro()+1, 36) + `"`
}
