package httpapi

import (
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// ifMatch reads If-Match (RFC 9110, 13.1.1) and tells which version the operation must find: 0 for any. current is asked only if several versions
// would do.
func ifMatch(header string, current func() (int64, error)) (int64, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return 0, nil
	}
	versions := strongVersions(header)
	moved := blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "If-Match names no version that is current")
	switch len(versions) {
	case 0:
		return 0, moved
	case 1:
		return versions[0], nil
	}
	now, err := current()
	if err != nil {
		return 0, err
	}
	for _, v := range versions {
		if v == now {
			return v, nil
		}
	}
	return 0, moved
}

// singleVersion is ifMatch for what the request does not name by an id, so that nobody can say which of several versions is current.
func singleVersion(header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		return 0, blueberry.Faults{{Field: "If-Match", Code: "too_many", Message: "may name one version here"}}.Err()
	})
}

// strongVersions gives the versions among entity tags. Weak tags never match a condition on a write, and a tag that we never gave matches nothing.
func strongVersions(header string) []int64 {
	var out []int64
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
			continue
		}
		if v, err := strconv.ParseInt(tag[1:len(tag)-1], 10, 64); err == nil && v > 0 {
			out = append(out, v)
		}
	}
	return out
}

// noneMatch reports whether If-None-Match names the version, so that the client has it already. Weak comparison, as for every read.
func noneMatch(header string, version int64) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag(version) {
			return true
		}
	}
	return false
}
