package resourcesharing

import (
	"encoding/base64"
	"iter"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Paging is the paging parameters of all lists: 1 to 100 a page, 20 by default.
type Paging struct {
	MaxResults *int
	NextToken  string
}

// cut takes a page out of rows in order of their numbers. A token holds the last
// number shown, so that it stays good whatever comes or goes.
func cut[T any](p Paging, rows iter.Seq2[uint64, T]) (page []T, next string, err error) {
	most := wire.Given(p.MaxResults, 20)
	if most < 1 || most > 100 {
		return nil, "", bad("MaxResults")
	}
	last, err := parseToken(p.NextToken)
	if err != nil {
		return nil, "", err
	}
	page = []T{}
	for seq, row := range rows {
		if seq <= last && p.NextToken != "" {
			continue
		}
		if len(page) == most {
			return page, newToken(last), nil
		}
		page, last = append(page, row), seq
	}
	return page, "", nil
}

func newToken(n uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after:" + strconv.FormatUint(n, 10)))
}

func parseToken(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	if len(token) > 256 {
		return 0, wire.Errorf(400, "InvalidParameter.NextToken.Length", "The maximum length of NextToken exceeds 256 characters.")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if digits, ok := strings.CutPrefix(string(raw), "after:"); ok && err == nil {
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, bad("NextToken")
}
