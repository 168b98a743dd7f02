// Package verdict is what rules make verdicts of: their constructors, the exemptions that every
// verdict passes, and the reading of RAM documents. It knows no control.
package verdict
