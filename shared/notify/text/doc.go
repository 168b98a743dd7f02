// Package text writes cards as documents for people, in English, Chinese and Japanese. It is
// pure: zone, names and addresses come in as values.
//
// A language is one file with one table. The English reasons and remedies of findings are
// quoted in all languages, and labelled as such.
package text
