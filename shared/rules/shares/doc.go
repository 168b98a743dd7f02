// Package shares decides control share-role: whom the roles for shared snapshots and images
// admit, and which keys they grant. The tests are in the folder above.
package shares
