package deployment

// ServiceLinkedRole is a role that a service of the cloud assumes, and creates on request.
type ServiceLinkedRole struct {
	Role, Service string
	// For is what does not work without it.
	For string
	// Beyond says that the service creates it itself when it is activated, so that a
	// deployment does not: it would activate the service.
	Beyond bool
}

// AgentRole is the service-linked role of Security Center.
const AgentRole = "AliyunServiceRoleForSas"

// ServiceLinkedRoles are those that deliveries to functions and logs need, and Security
// Center's, without which no agent is installed. They are the account's: other rules use
// them, so that they are not in Terraform's state, which would remove them, or fail where
// they exist. The names are those of the vendor's page on service-linked roles
// (doc-detail/160674); that of the MNS source is formed like the others.
func ServiceLinkedRoles() []ServiceLinkedRole {
	return []ServiceLinkedRole{
		{Role: "AliyunServiceRoleForActionTrail", Service: "actiontrail.aliyuncs.com", For: "a trail does not deliver"},
		{Role: "AliyunServiceRoleForFC", Service: "fc.aliyuncs.com", For: "Function Compute writes no logs"},
		{Role: "AliyunServiceRoleForEventBridgeSourceActionTrail", Service: "source-actiontrail.eventbridge.aliyuncs.com", For: "launches and shares cause no event"},
		{Role: "AliyunServiceRoleForEventBridgeSourceMNS", Service: "source-mns.eventbridge.aliyuncs.com", For: "the inboxes wake no function"},
		{Role: "AliyunServiceRoleForEventBridgeSendToMNS", Service: "sendevent-mns.eventbridge.aliyuncs.com", For: "the event rules fill no inbox"},
		{Role: "AliyunServiceRoleForEventBridgeSendToFC", Service: "sendevent-fc.eventbridge.aliyuncs.com", For: "events wake no function"},
		{Role: AgentRole, Service: "sas.aliyuncs.com", For: "Security Center installs no agent (InstallNotGranted)", Beyond: true},
	}
}

// Trust is the trust of the functions' roles, as Terraform writes it.
func Trust() string {
	return `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["fc.aliyuncs.com"]}}],"Version":"1"}`
}
