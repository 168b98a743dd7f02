package actiontrail

import (
	"encoding/json"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// requestParameters are the call's parameters under their wire names, flat, with
// JSON types, among the keys that the gateway adds.
func requestParameters(w wire.Write) map[string]any {
	out := noise(w)
	for k, v := range w.Call.Params {
		typ, _ := w.TypeOf(k)
		out[k] = value(typ, v)
	}
	if w.Console {
		asConsole(out)
	}
	return out
}

func value(typ, v string) any {
	switch typ {
	case "Integer", "Long", "Float":
		if _, err := strconv.ParseFloat(v, 64); err == nil && json.Valid([]byte(v)) {
			return json.Number(v)
		}
	case "Boolean":
		return strings.EqualFold(v, "true")
	}
	return v
}

// noise is what the gateway adds, as the published samples show it.
func noise(w wire.Write) map[string]any {
	c := w.Call
	out := map[string]any{
		"AcsHost": w.Host, "AcsProduct": w.Service, "RequestId": c.RequestID, "HostId": w.Host,
		"charset": "utf-8", "AcceptLanguage": "en-US", "Region": c.Region, "RegionId": c.Region,
		"X-Acs-Client-Tls-Version": "TLSv1.2", "X-Acs-Client-Tls-Cipher-Suite": "ECDHE-RSA-AES128-GCM-SHA256",
	}
	if c.Caller.Type == "AssumedRoleUser" {
		out["stsTokenPrincipalName"] = userName(c.Caller)
		out["stsTokenPlayerUid"] = json.Number(c.Caller.Account)
	}
	return out
}

// asConsole gives a launch the shape that a purchase in the console has: counts
// and network under other names than the API's.
func asConsole(p map[string]any) {
	if amount, ok := p["Amount"]; ok {
		p["MaxAmount"], p["MinAmount"] = amount, amount
		delete(p, "Amount")
	}
	for _, k := range []string{"VSwitchId", "SecurityGroupId"} {
		if v, ok := p[k]; ok {
			p["NetworkInterface.1."+k], p["NetworkInterface.1.InstanceType"] = v, "Primary"
			delete(p, k)
		}
	}
	p["Tags"] = []any{}
}
