package ecs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
)

// short is a client of a cloud whose pages have 50 elements, whatever is asked for: it says that
// there are as many as total, and shows those that there are.
func short(t *testing.T, total, there int) *ecs.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.FormValue("PageNumber"))
		if err != nil {
			number = 1
		}
		images, accounts := []any{}, []any{}
		for i := 50 * (number - 1); i < min(50*number, there); i++ {
			images = append(images, map[string]any{"ImageId": fmt.Sprint("m-", i)})
			accounts = append(accounts, map[string]any{"AliyunId": fmt.Sprint(1000000000000000 + i)})
		}
		w.Header().Set("Content-Type", "application/json")
		if err = json.NewEncoder(w).Encode(map[string]any{"RequestId": "R", "TotalCount": total,
			"Images": map[string]any{"Image": images}, "Accounts": map[string]any{"Account": accounts}}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	cloud := aliyuntest.Cloud(t, srv.URL, aliyuntest.Admin())
	return ecs.New(cloud.NewSession(0))
}

// Trust is taken back from those that these lists leave out: a page that is shorter than what
// was asked for is not their end.
func TestAShortPageIsNotTheEndOfWhatIsShared(t *testing.T) {
	for _, total := range []int{0, 50, 60, 160} {
		images, err := short(t, total, total).OwnImages(t.Context(), region)
		if err != nil || len(images) != total {
			t.Errorf("%d of %d images, %v", len(images), total, err)
		}
		accounts, err := short(t, total, total).ImageSharees(t.Context(), region, "m-1")
		if err != nil || len(accounts) != total {
			t.Errorf("%d of %d accounts, %v", len(accounts), total, err)
		}
	}
	if images, err := short(t, 60, 50).OwnImages(t.Context(), region); err == nil {
		t.Errorf("%d of 60 images, and no error", len(images))
	}
	if accounts, err := short(t, 60, 50).ImageSharees(t.Context(), region, "m-1"); err == nil {
		t.Errorf("%d of 60 accounts, and no error", len(accounts))
	}
}

// An image that a short page leaves out is not one that is gone.
func TestAShortPageTakesNoImageForGone(t *testing.T) {
	ids := make([]string, 60)
	for i := range ids {
		ids[i] = fmt.Sprint("m-", i)
	}
	if images, err := short(t, 60, 60).Images(t.Context(), region, ids); err == nil {
		t.Errorf("image 59 is %+v", images["m-59"])
	}
	images, err := short(t, 50, 50).Images(t.Context(), region, ids)
	if err != nil || images["m-49"].Gone || !images["m-59"].Gone {
		t.Errorf("got %+v, %v", images, err)
	}
}
