# The rules about one instance, decided as shared/rules does, in OPA's language.
package fleetwarden

i := input.i

p := input.p

own := input.own

bare := i.family

candidate := "observed" if regex.match(`.[0-9]t$`, bare)

else := "observed" if i.tags["acs:ecs:supportVtpm"]

else := "claimed" if asked

asked if i.call.mode == "vTPM"

asked if i.call.confidential == "Enclave"

seventh if regex.match(`^[^0-9]*[7-9]`, bare)

unjudged := "pending" if {
	i.gone
	i.sinceFirst < 600
}

else := "fault" if i.gone

else := "unknown" if not i.listed

verdicts["instance-role/instance"] := unjudged

verdicts["trusted-instance/instance"] := unjudged

verdicts["systrust-role"] := systrust_role if not unjudged

verdicts["over-broad-role"] := over_broad_role if not unjudged

verdicts["trusted-instance/instance"] := "not-applicable" if {
	not unjudged
	not subject
}

verdicts["family"] := family if subject

verdicts["image"] := image if subject

verdicts["system-disk"] := system_disk if subject

verdicts["vpc"] := vpc if subject

verdicts["trusted-mode"] := trusted_mode if subject

verdicts["hardening-asked"] := hardening_asked if not unjudged

verdicts["imds"] := imds if subject

# Control instance-role.

systrust_role := "not-applicable" if not candidate

else := "pending" if {
	candidate == "claimed"
	i.age < 600
}

else := "unknown" if candidate == "claimed"

else := "not-applicable" if i.tags["trust-service"] == "self"

else := "violation" if i.classic

else := "unknown" if not i.role.known

else := without_role if i.role.name == ""

else := with_role

managed if i.tags["acs:autoscaling:scalingGroupId"]

managed if i.tags["ack.aliyun.com"]

changed(outcome, _) := outcome if managed

changed(outcome, changes) := concat("", [outcome, changes]) if not managed

ready := " ensure-role" if own.missing

else := "" if own.answer == "allowed"

else := " grant-role" if {
	own.answer == "denied"
	own.trusted
	not own.futile
}

without_role := "pending" if i.age < p.attachAfter

else := "unknown" if not ready

else := changed("violation", concat("", [ready, " attach-role"]))

with_role := "pass" if i.role.is.answer == "allowed"

else := "unknown" if i.role.is.answer == "unsure"

else := repair_own if lower(i.role.name) == lower(p.role)

else := conflict

grantable if {
	not i.role.is.missing
	i.role.is.trusted
	not i.role.is.futile
}

repair_own := changed("violation", " ensure-role") if own.missing

else := changed("violation", " grant-role") if grantable

else := "violation"

conflict := changed("conflict", " grant-role") if {
	p.conflict == "grant"
	grantable
}

else := changed("conflict", replacing) if p.conflict == "replace"

else := "conflict"

# First the systrust role has to be fit; the next look replaces.
replacing := " replace-role" if ready == ""

else := ready

has_role if {
	not i.role.is.missing
	i.role.known
	i.role.name != ""
}

over_broad_role := "unknown" if {
	not candidate
	not i.role.known
}

else := "violation" if {
	has_role
	i.role.is.broad
}

else := "unknown" if {
	has_role
	i.role.is.unread
}

else := "pass" if has_role

# Control trusted-instance.

subject if {
	not unjudged
	p.require == "all"
}

subject if {
	not unjudged
	candidate
}

family := "pass" if {
	p.require == "all"
	bare in p.families
}

else := "violation" if p.require == "all"

image := "unknown" if not i.image.known

else := "not-assessable" if i.image.gone

else := boot if seventh

else := "not-assessable" if i.image.owner != "system"

else := "pass" if contains(i.image.id, "_secured_")

else := "violation"

boot := "pass" if i.image.boot in {"UEFI", "UEFI-Preferred"}

else := "unknown" if i.image.boot == ""

else := "violation"

disk := i.disk.category if i.disk.known

else := i.call.category if i.call.category != ""

else := "cloud_efficiency" if {
	i.call.there
	not i.call.template
}

system_disk := "unknown" if not disk

else := "pass" if disk in p.disks

else := "violation"

vpc := "pass" if {
	not i.classic
	i.vpc != ""
}

else := "violation"

trusted_mode := "pass" if not seventh

else := "pass" if i.tags["acs:ecs:supportVtpm"]

else := "pass" if {
	asked
	i.age < 600
}

else := "unknown" if asked

else := "pending" if {
	i.call.template
	i.age < 600
}

else := "violation"

hardening_asked := "not-assessable" if not i.call.there

else := "unknown" if not i.image.known

else := "unknown" if i.image.gone

else := "not-applicable" if i.image.owner != "system"

else := "pass" if i.call.hardening == "Active"

else := "unknown" if {
	i.call.hardening == ""
	i.call.template
}

else := "violation"

imds := "pass" if i.tokens == "required"

else := "unknown" if i.tokens == ""

else := "violation"
