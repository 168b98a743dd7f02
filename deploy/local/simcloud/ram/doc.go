// Package ram is simcloud's Resource Access Management, API version 2015-05-01:
// users with access keys, roles, policies and their versions, and the answer to
// what a caller may do. It enforces; other products ask it before they act.
//
// Its policy evaluation is written from the vendor's documentation and shares
// nothing with the product's own. Its tables have a mutex of their own, always
// taken last, so that it can be asked with and without the World's mutex held.
//
// Error codes are those of the RAM error tables; where a comment says assumed,
// the code follows the vendor's pattern but was not found in a published table.
package ram
