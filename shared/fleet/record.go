package fleet

import "time"

// RecordVersion is the version of the records below.
const RecordVersion = 1

// Record is one line of output. Exactly one of Finding, ChangeRecord and Pass
// is set; Type says which.
type Record struct {
	V    int    `json:"v"`
	Type string `json:"type"` // finding, change or pass
	// Time is the cloud's time.
	Time time.Time `json:"time"`
	// Run names the passes that belong together; Request is the platform's
	// request id of this pass.
	Run      string         `json:"run,omitempty"`
	Request  string         `json:"request,omitempty"`
	Function string         `json:"function,omitempty"`
	Policy   string         `json:"policy,omitempty"`  // digest
	Version  string         `json:"version,omitempty"` // of the build
	Finding  *FindingRecord `json:"finding,omitempty"`
	Change   *ChangeRecord  `json:"change,omitempty"`
	Pass     *Pass          `json:"pass,omitempty"`
}

// FindingRecord is what a rule said about one thing, also when that is "pass".
type FindingRecord struct {
	Control  string     `json:"control"`
	Rule     string     `json:"rule"`
	Outcome  Outcome    `json:"outcome"`
	Severity Severity   `json:"severity,omitempty"`
	Account  AccountID  `json:"account"`
	Region   Region     `json:"region,omitempty"`
	Kind     Kind       `json:"kind"`
	ID       string     `json:"id,omitempty"`
	Reason   string     `json:"reason"`
	Remedy   string     `json:"remedy,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
	// Remark says that a report has one line for all resources with this finding; Count,
	// when not zero, is for how many of them such a line stands.
	Remark bool `json:"remark,omitempty"`
	Count  int  `json:"count,omitempty"`
	// AgainSeconds is after how many seconds the resource is checked again.
	AgainSeconds int `json:"againSeconds,omitempty"`
}

// ChangeRecord is what became of one change. Undoing it means putting Before
// back where After stands.
type ChangeRecord struct {
	Control    string     `json:"control"`
	Rule       string     `json:"rule"`
	Kind       ChangeKind `json:"kind"`
	Account    AccountID  `json:"account"`
	Region     Region     `json:"region,omitempty"`
	RefKind    Kind       `json:"refKind"`
	ID         string     `json:"id"`
	State      State      `json:"state"`
	Reason     string     `json:"reason"`
	Why        string     `json:"why,omitempty"`
	Before     string     `json:"before"`
	Want       string     `json:"want,omitempty"`
	After      string     `json:"after"`
	RequestIDs []string   `json:"requestIds,omitempty"`
}

// Pass sums up one trip through the core.
type Pass struct {
	// Refs is how many resources were checked, Ignored how many events were not
	// for this function, Bad how many elements could not be read.
	Refs    int `json:"refs"`
	Ignored int `json:"ignored,omitempty"`
	Bad     int `json:"bad,omitempty"`
	// Outcomes and States count verdicts and changes.
	Outcomes map[Outcome]int `json:"outcomes,omitempty"`
	States   map[State]int   `json:"states,omitempty"`
	// Again is how many refs were re-queued for another check.
	Again int `json:"again,omitempty"`
	// Calls counts API calls by "product:Action" and result ("ok" or a class).
	Calls map[string]map[string]int `json:"calls,omitempty"`
	// DurationMS is real time, in milliseconds.
	DurationMS int64 `json:"durationMs"`
	// DelayMS is the cloud's time between the oldest event and this pass.
	DelayMS int64 `json:"delayMs,omitempty"`
	DryRun  bool  `json:"dryRun,omitempty"`
	// Stopped says why the pass ended before its source did; empty at the end.
	Stopped string `json:"stopped,omitempty"`
	// Wait is how long to wait before the pass is resumed, where the cloud or a
	// failure asked for it.
	Wait time.Duration `json:"-"`
}
