// Package wire speaks Alibaba Cloud's protocols for the products of simcloud.
//
// A product is a struct. Each of its exported methods of the shape
//
//	func (p *Product) ActionName(c *Call, in *ActionNameRequest) (*ActionNameResponse, error)
//
// serves the API of that name; the methods are found once, at start. Before a
// method runs, this package has verified the signature (ACS3-HMAC-SHA256 or
// HMAC-SHA1), looked the action up in meta, refused unknown and missing
// parameters, checked batch maxima and quotas, applied injected faults, and
// decoded the parameters into the request struct: field InstanceIds from
// parameter InstanceIds; a `param:"SystemDisk.Category"` tag for a dotted name; a
// slice field Tag []TagParam from Tag.1.Key, Tag.1.Value, …; a []string field
// InstanceId from InstanceId.1, …. Afterwards it writes the response struct
// as JSON with its RequestId, or the *Error, and hands writes to the trail. A
// response struct has no field RequestId of its own. RAM is asked and the product's mutex
// taken before a method of a [Guarded] product; other products do both themselves.
//
// An API with a path (ROA) is found by method and path. Parameters in the path and
// documented headers are decoded as those of the query are; a field Body takes the body:
// JSON into a pointer to a struct, strictly, or all of it into a []byte. Its answer is the
// response as it stands, without a RequestId, or a [Raw]. Bodies reach no trail record.
//
// The classic protocol (HMAC-SHA1) answers XML unless Format=JSON is asked for. All
// SDKs and the CLI ask for it; a call that does not is refused. What this gateway refuses never reaches a method: a
// wrong signature, an unknown action, an unknown, mistyped or missing
// parameter, too many ids, an exceeded quota. The service ignores unknown
// parameters; simcloud refuses them, because here they are misspellings.
//
// The header "x-sim-console: true", which need not be signed, makes the trail
// record of a write look like a click in the console.
//
// No product state lives here.
package wire
