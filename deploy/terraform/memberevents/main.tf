# A member's events, on their way to the home account: rules of the member's default bus,
# with the patterns of deploy/eventrules, whose target is the bus fleetwarden-members of
# the home account in the same region. That bus, its rules and the role that opens it
# stand in the home account's configuration (members.tf), which must be applied before,
# with the member among its "members".
#
# Applied with the credentials of the member, once for each member and region, in a
# workspace MEMBER-REGION:
#
#   terraform -chdir=deploy/terraform/memberevents init
#   terraform -chdir=deploy/terraform/memberevents workspace select -or-create 1000000000000003-cn-hangzhou
#   terraform -chdir=deploy/terraform/memberevents apply -var member=1000000000000003 -var home=1000000000000001 -var region=cn-hangzhou -var home_region=cn-hangzhou
#
# The member needs a trail that logs, its own or its resource directory's, and the
# service-linked role AliyunServiceRoleForEventBridgeSourceActionTrail; see ../README.md.

terraform {
  required_version = ">= 1.5"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "1.289.0"
    }
  }
}

variable "member" {
  description = "The account whose events are sent; a guard against the wrong credentials."
  type        = string
}

variable "home" {
  description = "The account that the functions run in."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{1,32}$", var.home))
    error_message = "An account is a number."
  }
}

variable "region" {
  description = "The region whose events are sent."
  type        = string
}

variable "home_region" {
  description = "The home account's home region; share events are of use there alone."
  type        = string
}

provider "alicloud" {
  region = var.region
}

data "alicloud_account" "this" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == "${var.member}-${var.region}"
      error_message = "The workspace ${terraform.workspace} is not of the member ${var.member} in ${var.region}: terraform workspace select -or-create ${var.member}-${var.region}."
    }
    postcondition {
      condition     = self.id == var.member
      error_message = "These credentials are of account ${self.id}, not of ${var.member}."
    }
  }
}

locals {
  deploy = "${path.module}/../.."

  # The patterns that fill an inbox of the home account in this region.
  patterns = toset(flatten([
    for q in jsondecode(file("${local.deploy}/queues.json")).queues : concat(try(q.eventRules, []), try(q.memberRules, []))
    if try(q.where, "") != "home" || var.region == var.home_region
  ]))
}

resource "alicloud_event_bridge_rule" "to_home" {
  for_each       = local.patterns
  event_bus_name = "default" # services put their events there
  rule_name      = "fleetwarden-${each.key}-to-home"
  description    = "Fleetwarden: sends events to account ${var.home}"
  filter_pattern = jsonencode(jsondecode(file("${local.deploy}/eventrules/${each.key}.json")))
  status         = "ENABLE"

  targets {
    target_id           = "fleetwarden-members"
    type                = "acs.eventbridge"
    endpoint            = "acs:eventbridge:${var.region}:${var.home}:eventbus/fleetwarden-members"
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY" # for a day

    param_list {
      resource_key = "RegionId"
      form         = "CONSTANT"
      value        = var.region
    }
    param_list {
      resource_key = "AccountType"
      form         = "CONSTANT"
      value        = "AnotherAccount"
    }
    param_list {
      resource_key = "AccountId"
      form         = "CONSTANT"
      value        = var.home
    }
    param_list {
      resource_key = "EventBusName"
      form         = "CONSTANT"
      value        = "fleetwarden-members"
    }
    # A role of the home account; it trusts the EventBridge of this account alone.
    param_list {
      resource_key = "RAMRoleName"
      form         = "CONSTANT"
      value        = "fleetwarden-members"
    }
    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }
  }

  depends_on = [data.alicloud_account.this]
}
