package directory

import (
	"context"
	"fmt"
	"slices"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Account is a member of the resource directory, as ListAccounts shows it.
type Account struct {
	ID   fleet.AccountID
	Name string
	// Status is such as CreateSuccess, InviteSuccess or PromoteVerifying.
	Status string
	// JoinMethod is created or invited.
	JoinMethod string

	path string // of folders, ends with the id
}

// absent are the statuses of accounts that are not members: not created, not yet or no
// longer. ListAccounts is documented to return none of them, but UpdateAccount mentions
// Removed, and the filter of Terraform's data source alicloud_resource_manager_accounts the
// others. All other statuses, unpublished ones too, count as members: a sweep reports an
// account that it cannot enter, but not one that it leaves out. Invited accounts are not
// listed at all.
var absent = []string{"Removed", "CreateVerifying", "CreateCancelled", "CreateExpired", "CreateFailed"}

// Accounts lists the members of the resource directory with ListAccounts, 100 a page,
// without those that are not yet or no longer members. The management account is not a
// member. Only the management account, or a delegated one, may call it; in an account
// without a directory the error's class is [fleet.NotFound]. An incomplete list is an
// error.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	all, err := c.list(ctx)
	return slices.DeleteFunc(all, func(a Account) bool { return slices.Contains(absent, a.Status) }), err
}

// pageSize is the largest page of ListAccounts.
const pageSize = 100

type accountsRequest struct {
	PageNumber *int32 `json:"PageNumber,omitempty" xml:"PageNumber,omitempty"`
	PageSize   *int32 `json:"PageSize,omitempty" xml:"PageSize,omitempty"`
}

type accountsResponse struct {
	TotalCount int `json:"TotalCount"`
	Accounts   struct {
		Account []struct {
			AccountID             fleet.AccountID `json:"AccountId"`
			DisplayName           string          `json:"DisplayName"`
			Status                string          `json:"Status"`
			JoinMethod            string          `json:"JoinMethod"`
			ResourceDirectoryPath string          `json:"ResourceDirectoryPath"`
		} `json:"Account"`
	} `json:"Accounts"`
}

// list reads all pages. Members that come and go meanwhile move the others from page to
// page, so duplicates are dropped and the number must match the total in the end.
func (c *Client) list(ctx context.Context) ([]Account, error) {
	var out []Account
	seen := map[fleet.AccountID]bool{}
	for number := int32(1); ; number++ {
		page, err := aliyun.Do[accountsRequest, accountsResponse](ctx, c.session, api("ListAccounts"),
			&accountsRequest{PageNumber: &number, PageSize: new(int32(pageSize))})
		if err != nil {
			return nil, err
		}
		before := len(out)
		for _, a := range page.Accounts.Account {
			if !seen[a.AccountID] {
				seen[a.AccountID] = true
				out = append(out, Account{a.AccountID, a.DisplayName, a.Status, a.JoinMethod, a.ResourceDirectoryPath})
			}
		}
		switch {
		case len(out) >= page.TotalCount:
			return out, nil
		case len(out) == before: // the pages have ended, or come twice
			return nil, fmt.Errorf("listing the accounts of the resource directory: the pages hold %d of %d", len(out), page.TotalCount)
		}
	}
}
