// Package page renders the report of a sweep as one HTML page that needs nothing else:
// no network, no other file, and no script for reading it. It computes nothing that
// package report does not, and it is apart from that package because it links a chart
// library and HTML templates, which functions that only write records do without.
//
// All text from the cloud is data. html/template escapes it, labels of charts are
// escaped before the library, which does not, and the page's own policy lets no script
// run but the one that it was written with.
package page
