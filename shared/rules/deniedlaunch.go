package rules

import (
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// denials says which parameter to change for the error codes that stand for one of
// this control's rules. Codes are those of RunInstances' error table.
var denials = []struct{ code, remedy string }{
	{"InvalidVSwitchId.Necessary", "give VSwitchId, or NetworkInterface.1.VSwitchId for the primary interface: trusted instances need a VPC"},
	{"InvalidSystemDiskCategory.ValueNotSupported", "set SystemDisk.Category=cloud_essd"},
	{"InvalidDiskCategory.NotSupported", "set SystemDisk.Category=cloud_essd"},
	{"ImageNotSupportInstanceType", "choose an image that the family supports: a trusted image for g6t, c6t and r6t, one that boots by UEFI for generation 7"},
	{"InvalidParameter.KMSKeyId.CMKNotEnabled", "enable the key that SystemDisk.KMSKeyId or DataDisk.N.KMSKeyId names, or switch KMS on"},
	{"InvalidParameter.KMSKeyId.CMKUnauthorized", "let ECS use the key: create the RAM role AliyunECSDiskEncryptDefaultRole"},
	{"InvalidParameter.KMSKeyId.KMSUnauthorized", "let ECS use the key: create the RAM role AliyunECSDiskEncryptDefaultRole"},
	{"InvalidParameter.KMSKeyId.NotFound", "give a SystemDisk.KMSKeyId or DataDisk.N.KMSKeyId that exists in this region"},
	{"InvalidParameter.EncryptedIllegal", "set Encrypted=true wherever KMSKeyId is given"},
	{"InvalidParameter.EncryptedNotSupported", "choose a disk category that can be encrypted, such as cloud_essd"},
	{"InvalidRamRole.NotEcsRole", "give a RamRoleName whose trust policy names ecs.aliyuncs.com"},
	{"InvalidRamRole.NotFound", "give a RamRoleName that exists in this account"},
	{"InvalidUser.PassRoleForbidden", "let the caller pass the role: ram:PassRole on the role that RamRoleName names"},
	{"InvalidUserData.SizeExceeded", "shorten UserData to 32 KB before Base64"},
	{"InvalidParameter.Conflict", "remove one of the parameters that exclude each other; the message names them"},
}

// deniedLaunches explains launches that failed on one of this control's rules.
func deniedLaunches(w *fleet.World) []fleet.Verdict {
	var out []fleet.Verdict
	for _, ref := range w.Calls {
		v := deniedLaunch(ref.Call)
		v.Ref, v.Control, v.Rule = ref, policy.ControlTrustedInstance, RuleDeniedLaunch
		out = append(out, v)
	}
	return out
}

func deniedLaunch(c *fleet.Call) fleet.Verdict {
	if c == nil || c.ErrorCode == "" {
		return notApplicable("not a failed launch")
	}
	e := []fleet.Evidence{claimed("call", c.Name), claimed("error code", c.ErrorCode)}
	if c.Caller != "" {
		e = append(e, claimed("caller", c.Caller))
	}
	for _, d := range denials {
		if strings.EqualFold(c.ErrorCode, d.code) {
			return violation(fleet.Low, fmt.Sprintf("%s was denied with %s", c.Name, c.ErrorCode), d.remedy, e...)
		}
	}
	v := notApplicable(fmt.Sprintf("%s failed with %s, which no rule of this control stands for", c.Name, c.ErrorCode))
	v.Evidence = e
	return v
}
