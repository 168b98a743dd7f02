package actiontrail

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// head is what LookupEvents filters by.
type head struct {
	EventID, EventName, EventType, Service string
	User, Role, AccessKey, SourceIP        string
	Resources                              map[string][]string
}

func headOf(w wire.Write, region string) head {
	h := head{
		// In the published samples eventId mostly equals requestId.
		EventID: w.Call.RequestID, EventName: w.Call.Action, EventType: "ApiCall", Service: w.Service,
		User: userName(w.Call.Caller), AccessKey: w.Call.Caller.AccessKeyID, SourceIP: w.SourceIP,
		Resources: w.Call.References(),
	}
	if w.Call.Caller.Type == "AssumedRoleUser" {
		h.Role = w.Call.Caller.Name
	}
	if w.Console {
		h.EventType, h.AccessKey = "ConsoleOperation", ""
	}
	if w.Bought {
		h.EventName, h.Resources = "Create", instances(h.Resources)
	}
	return h
}

// instances leaves all else out, as the published sample of a purchase does.
func instances(resources map[string][]string) map[string][]string {
	const kind = "ACS::ECS::Instance"
	if ids, ok := resources[kind]; ok {
		return map[string][]string{kind: ids}
	}
	return nil
}

// bought is the record of a purchase on a buy page, with the members that the published
// sample has (help.aliyun.com/document_detail/289931.html): no parameters, no response,
// no recipientAccountId.
func bought(w wire.Write, h head, region string) map[string]any {
	r := map[string]any{
		"eventId": h.EventID, "eventName": h.EventName, "eventType": h.EventType, "eventVersion": "1", "eventRW": "Write",
		"eventSource": w.Call.Product + ".aliyuncs.com", "eventTime": w.Call.Now.UTC().Format("2006-01-02T15:04:05Z"),
		"acsRegion": region, "serviceName": w.Service, "requestId": w.Call.RequestID, "requestParameters": map[string]any{},
		"userAgent": "AliyunConsole", "userIdentity": identity(w), "errorCode": "", "errorMessage": "",
	}
	if len(h.Resources) > 0 {
		r["referencedResources"] = h.Resources
	}
	if w.Err != nil {
		r["errorCode"], r["errorMessage"] = w.Err.Code, w.Err.Message
	}
	return r
}

func record(w wire.Write, h head, region string) map[string]any {
	if w.Bought {
		return bought(w, h, region)
	}
	c := w.Call
	params := requestParameters(w)
	host := c.Product + "." + region + ".aliyuncs.com"
	if w.Global {
		host = c.Product + ".aliyuncs.com"
	}
	r := map[string]any{
		"eventId": h.EventID, "eventName": h.EventName, "eventType": h.EventType,
		"eventVersion": 1, "eventCategory": "Management", "eventRW": "Write",
		"eventSource": host, "eventTime": c.Now.UTC().Format("2006-01-02T15:04:05Z"),
		"apiVersion": c.Version, "acsRegion": region, "isGlobal": w.Global,
		"serviceName": w.Service, "requestId": c.RequestID,
		"requestParameters": params, "sourceIpAddress": w.SourceIP, "userAgent": w.UserAgent,
		"recipientAccountId": c.Caller.Account, "userIdentity": identity(w),
		"eventAttributes": map[string]any{"SensitiveAction": "false"},
	}
	if text, err := json.Marshal(params); err == nil {
		r["requestParameterJson"] = string(text)
	}
	if len(h.Resources) > 0 {
		r["referencedResources"] = h.Resources
		r["resourceType"], r["resourceName"] = joined(h.Resources)
	}
	if w.Err != nil {
		r["errorCode"], r["errorMessage"] = w.Err.Code, w.Err.Message
	} else {
		r["responseElements"] = responseElements(w)
	}
	if w.Console {
		r["apiVersion"], r["userAgent"] = "*", c.Product+".console.aliyun.com"
		r["additionalEventData"] = map[string]any{"CallerBid": "26842"}
	}
	return r
}

// responseElements is the response; without the secrets of AssumeRole, which the
// service cannot be thought to put on a bus.
func responseElements(w wire.Write) any {
	if w.Call.Product == "sts" {
		return map[string]any{"RequestId": w.Call.RequestID}
	}
	return json.RawMessage(w.Response)
}

// joined writes resources as the strings resourceType and resourceName: ids of
// one type joined with ",", types with ";".
func joined(resources map[string][]string) (types, names string) {
	var ids []string
	keys := slices.Sorted(maps.Keys(resources))
	for _, k := range keys {
		ids = append(ids, strings.Join(resources[k], ","))
	}
	return strings.Join(keys, ";"), strings.Join(ids, ";")
}

func userName(who wire.Identity) string {
	if who.Type == "AssumedRoleUser" {
		return who.Name + ":" + who.Session
	}
	return who.Name
}

func identity(w wire.Write) map[string]any {
	who := w.Call.Caller
	types := map[string]string{"Account": "root-account", "RAMUser": "ram-user", "AssumedRoleUser": "assumed-role"}
	out := map[string]any{
		"type": types[who.Type], "accountId": who.Account,
		"principalId": who.PrincipalID, "userName": userName(who),
		"sessionContext": map[string]any{"attributes": map[string]any{
			"mfaAuthenticated": "false",
			"creationDate":     w.Call.Now.UTC().Format("2006-01-02T15:04:05Z"),
		}},
	}
	if !w.Console {
		out["accessKeyId"] = who.AccessKeyID
	}
	return out
}
