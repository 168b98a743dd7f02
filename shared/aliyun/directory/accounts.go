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

// absent are the statuses of accounts that are no members: not made, not yet or no
// more. ListAccounts is documented to answer with none of them, but UpdateAccount
// speaks of Removed, and the filter of Terraform's data source
// alicloud_resource_manager_accounts of the others. All other statuses are of accounts
// that are there, and one that nobody published is taken for one of them: a sweep that
// cannot enter an account says so, one that leaves it out does not. Who is only invited
// is not listed at all.
var absent = []string{"Removed", "CreateVerifying", "CreateCancelled", "CreateExpired", "CreateFailed"}

// Accounts lists the members of the resource directory with ListAccounts, 100 a page,
// without those that are no members yet or any more. The management account is no
// member. Only the management account, or one it has delegated to, may ask; in an
// account that is in no directory the error's class is [fleet.NotFound]. A list that
// did not come whole is an error.
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

// list reads all pages. Members that come and go meanwhile move the others from page
// to page, so each is taken once and the number must fit the total in the end.
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
