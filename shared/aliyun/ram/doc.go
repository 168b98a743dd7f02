// Package ram reads and writes RAM (2015-05-01) in fleet values. It decides
// nothing, and has no method that deletes.
package ram
