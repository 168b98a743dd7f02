// Package sweep evaluates whole fleets: every account, every region, page by page, with all
// controls and through the same core as live events. It changes nothing. What has drifted is
// sent to the inboxes of the functions that own the control, which observe and decide again.
//
// A sweep is cut into shards: one for each account and region, and one for what each
// account shares. A shard first judges all of its resources and keeps its findings in the
// store, part by part; only then it compares with the limits, and notifies the owners of all
// of a control's drift or of none of it.
//
// The progress of a shard is in the store and nowhere else: the last part says where to
// continue. A message only wakes the shard. So a message that comes twice, late or never
// loses nothing, and a forged one can at most wake a shard of a sweep that was begun with
// the right to write to the store. Parts are made, never replaced, and
// read back: of two passes at the same shard the slower one finds its part taken, stops,
// and leaves a message behind in case that the other one dies.
//
//	starts/<run>.json                               the shards of a sweep
//	sweeps/<run>/<account>.<region>/01-000003.json  the third part, of the first attempt
//	sweeps/<run>/<account>.<region>/end.json        what the shard came to
//	memory/<account>/<region>/<run>/…               since when, for the next sweep: package memory
//	reports/<run>/summary.json, report.html, …      the whole, when the last shard has ended
//
// Verdicts that find nothing wrong are counted, not written, and so are unknowns of
// severity info: a fleet of 100,000 would make a million lines a day. Everything else is
// in the parts, once, and in the log, at least once: a pass that dies has logged what the
// next one finds again.
//
// A shard always ends: when passes come no further, and when a listing has more pages than
// any region.
//
// A failure of what is swept is reported as that of its shard, and the others continue. A
// failure of the store, the log or the inbox is an error, and the platform tries again.
//
// The package knows no cloud: the caller provides the listers and the controls.
package sweep
